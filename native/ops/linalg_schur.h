// Schur forms of general matrices: a = Z T Z^H with T upper triangular, or, for a real matrix, with blocks of two on
// the diagonal for pairs of complex eigenvalues.
#pragma once
#include "ops/linalg.h"

namespace flambeau::linalg {

// Powers of two that bring rows and columns of equal index to like sizes: a becomes D^-1 a D (Parlett and Reinsch
// 1969).
template <class T>
void balance(const Mat<T>& a, double* d);
// a = Q H Q^H with H zero below the first subdiagonal; a becomes H, zt [n, n] (if not null) Q^T.
template <class T>
void reduce_to_hessenberg(const Mat<T>& a, T* zt, T* tau, T* room);
// From Hessenberg to Schur form, the transformations applied to zt (Z^T, not conjugated) too. false where the iteration
// does not settle.
bool schur(const Mat<double>& h, double* zt);
bool schur(const Mat<Cx<double>>& h, Cx<double>* zt);

}  // namespace flambeau::linalg
