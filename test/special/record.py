"""Writes values.json: special functions at chosen points, computed with mpmath to 40 digits.

    python3 test/special/record.py
"""
import json
import os

import mpmath as mp

mp.mp.dps = 40

AROUND = [-30.5, -12.25, -9, -8.5, -4.125, -2.5, -1, -0.5, -0.125, 0.125, 0.5, 1, 1.5, 2, 2.25, 4.75, 6, 9.5, 13, 20.5, 40]
POSITIVE = [1e-8, 0.001, 0.125, 0.5, 0.9375, 1, 1.0625, 2, 3.5, 6, 12.5, 30, 100, 300]


def regularised(a, x, upper):
    return mp.gammainc(a, x, mp.inf, regularized=True) if upper else mp.gammainc(a, 0, x, regularized=True)


UNARY = {
    'besselJ0': (mp.besselj, 0, AROUND),
    'besselJ1': (mp.besselj, 1, AROUND),
    'besselY0': (mp.bessely, 0, POSITIVE),
    'besselY1': (mp.bessely, 1, POSITIVE),
    'modifiedBesselI0': (mp.besseli, 0, AROUND),
    'modifiedBesselI1': (mp.besseli, 1, AROUND),
    'modifiedBesselK0': (mp.besselk, 0, POSITIVE),
    'modifiedBesselK1': (mp.besselk, 1, POSITIVE),
    'scaledModifiedBesselK0': (lambda n, x: mp.besselk(n, x) * mp.exp(x), 0, POSITIVE),
    'scaledModifiedBesselK1': (lambda n, x: mp.besselk(n, x) * mp.exp(x), 1, POSITIVE),
    'sphericalBesselJ0': (lambda n, x: mp.sin(x) / x, 0, AROUND),
    'airyAi': (lambda n, x: mp.airyai(x), 0, AROUND),
}
DEGREES = [0, 1, 2, 3, 5, 8, 12]
INSIDE = [-1.5, -1, -0.75, -0.25, 0, 0.3125, 0.875, 1, 1.25]


def hermite(n, x):
    half = range(n // 2 + 1)
    return mp.factorial(n) * sum((-1) ** m * (2 * x) ** (n - 2 * m) / mp.factorial(m) / mp.factorial(n - 2 * m) for m in half)


def kinds(third):
    """V_n (third) or W_n: from cos or sin of half-integer multiples of the angle, continued outside [-1, 1]."""
    def value(n, x):
        p, q = mp.mpf(1), 2 * mp.mpf(x) - (1 if third else -1)
        for _ in range(n):
            p, q = q, 2 * mp.mpf(x) * q - p
        return p
    return value


POLYNOMIALS = {
    'chebyshevPolynomialT': (mp.chebyt, INSIDE),
    'chebyshevPolynomialU': (mp.chebyu, INSIDE),
    'chebyshevPolynomialV': (kinds(True), INSIDE),
    'chebyshevPolynomialW': (kinds(False), INSIDE),
    'shiftedChebyshevPolynomialT': (lambda n, x: mp.chebyt(n, 2 * mp.mpf(x) - 1), INSIDE),
    'shiftedChebyshevPolynomialU': (lambda n, x: mp.chebyu(n, 2 * mp.mpf(x) - 1), INSIDE),
    'shiftedChebyshevPolynomialV': (lambda n, x: kinds(True)(n, 2 * mp.mpf(x) - 1), INSIDE),
    'shiftedChebyshevPolynomialW': (lambda n, x: kinds(False)(n, 2 * mp.mpf(x) - 1), INSIDE),
    'hermitePolynomialH': (hermite, INSIDE),
    'hermitePolynomialHe': (lambda n, x: mp.mpf(2) ** (-mp.mpf(n) / 2) * hermite(n, x / mp.sqrt(2)), INSIDE),
    'laguerrePolynomialL': (lambda n, x: sum(mp.binomial(n, k) * (-x) ** k / mp.factorial(k) for k in range(n + 1)), INSIDE),
    'legendrePolynomialP': (mp.legendre, INSIDE),
}
SHAPES = [0.001, 0.25, 1, 2.5, 9, 30, 180, 1100, 2000]
RATIOS = [0.01, 0.4, 0.8, 0.9, 0.99, 1, 1.01, 1.1, 1.3, 2.5]


def row(points, values):
    return {'points': points, 'values': [float(v) for v in values]}


def main():
    out = {}
    for name, (f, n, points) in UNARY.items():
        out[name] = row([[p] for p in points], [f(n, mp.mpf(p)) for p in points])
    for name, (f, xs) in POLYNOMIALS.items():
        points = [[x, n] for n in DEGREES for x in xs]
        out[name] = row(points, [mp.re(f(n, mp.mpf(x))) for x, n in points])
    points = [[a, a * r] for a in SHAPES for r in RATIOS] + [[0.25, 1e-6], [1e-6, 0.5], [1e-6, 1.5], [3, 60], [40000, 39500], [40000, 40300]]
    out['gammainc'] = row(points, [regularised(mp.mpf(a), mp.mpf(x), False) for a, x in points])
    out['gammaincc'] = row(points, [regularised(mp.mpf(a), mp.mpf(x), True) for a, x in points])
    points = [[n, x] for n in (0, 1, 2, 5, 20) for x in (0.25, 1, 1.5, 7, 30.5)] + [[1, -0.5], [2, -7.25], [3, -45.5]]

    def derivative(n, x):
        # Below zero by psi_n(x) = psi_n(x + m) - (-1)^n n! sum of (x + k)^(-n - 1).
        x, m = mp.mpf(x), max(0, int(mp.ceil(-x)))
        return mp.psi(n, x + m) - (-1) ** n * mp.factorial(n) * sum((x + k) ** (-n - 1) for k in range(m))

    out['polygamma'] = row(points, [derivative(n, x) for n, x in points])
    points = [[x, p] for p in (1, 2, 5) for x in (2.5, 3, 10, 100)]
    out['multigammaln'] = row(points, [
        sum((mp.loggamma(mp.mpf(x) - mp.mpf(j) / 2) for j in range(p)), mp.mpf(p * (p - 1)) / 4 * mp.log(mp.pi))
        for x, p in points])
    path = os.path.join(os.path.dirname(__file__), 'values.json')
    with open(path, 'w', encoding='utf-8') as f:
        rows = ',\n'.join(f' {json.dumps(k)}: {json.dumps(v)}' for k, v in out.items())
        f.write('{\n' + rows + '\n}\n')


main()
