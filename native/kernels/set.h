// The namespace of the instruction set that this file is being compiled for. Include it first in every kernels/*.cc.
#pragma once

#ifndef FLAMBEAU_SET
#define FLAMBEAU_SET baseline  // for editors and clang-format; the build always defines it
#endif
