// Faults on purpose: a sanitizer that does not find them finds none. The second argument says which.
#include <string>
#include <thread>
#include <vector>

#include "check.h"

namespace {

int beyondTheEnd() {
  std::vector<int> numbers(4, 1);
  const int* end = numbers.data() + numbers.size();
  return *end;
}

int leak() {
  const int* number = new int(1);
  const int seen = *number;
  number = nullptr;
  return seen;
}

int overflow(int count) {
  int number = 0x7fffffff;
  for (int step = 0; step < count; ++step) ++number;
  return number;
}

int race() {
  int number = 0;
  std::thread other([&] { ++number; });
  ++number;
  other.join();
  return number;
}

}  // namespace

int main(int count, char** values) {
  const std::string which = argument(count, values, 2);
  volatile int seen = which == "address" ? beyondTheEnd() : which == "leak" ? leak() : which == "undefined" ? overflow(count) : race();
  return seen == 0 ? 1 : 0;
}
