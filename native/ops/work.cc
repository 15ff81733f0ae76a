#include "ops/work.h"

namespace flambeau {

static thread_local double counted = 0;

void count_work(double multiply_adds) { counted += multiply_adds; }
double work_so_far() { return counted; }

}  // namespace flambeau
