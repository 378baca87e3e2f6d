// Stops a binary on a processor that lacks the instructions it was compiled for, with words instead
// of SIGILL. This file is compiled for the plain processor and runs before all other initialisers
// of the binary. So it calls nothing that another file might define inline with newer instructions:
// no C++ library, no formatting, no allocation.
#include "cli/processor_check.h"

#include <string.h>
#include <unistd.h>

#include "base/version.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace calque {

int missing_instructions(const char* const* required, bool (*available)(const char* name),
                         const char** missing, int capacity) {
  int count = 0;
  for (; *required != nullptr && count < capacity; ++required) {
    if (!available(*required)) {
      missing[count++] = *required;
    }
  }
  return count;
}

#if defined(__x86_64__)

namespace {

enum Register { kEax, kEbx, kEcx, kEdx };

// The registers that the operating system must save, as bits of XCR0: up to 256-bit, up to 512-bit.
constexpr unsigned kNone = 0x00;
constexpr unsigned kYmm = 0x06;
constexpr unsigned kZmm = 0xe6;

struct InstructionSet {
  const char* name;
  unsigned leaf;
  unsigned subleaf;
  Register where;
  unsigned bit;
  unsigned saved_registers;
};

// What a compiler may use unasked (cmake/options.cmake picks these). Intel 64 and IA-32
// Architectures Software Developer's Manual, volume 2A, CPUID.
constexpr InstructionSet kInstructionSets[] = {
    {"SSE3", 1, 0, kEcx, 0, kNone},
    {"SSSE3", 1, 0, kEcx, 9, kNone},
    {"FMA", 1, 0, kEcx, 12, kYmm},
    {"SSE4_1", 1, 0, kEcx, 19, kNone},
    {"SSE4_2", 1, 0, kEcx, 20, kNone},
    {"MOVBE", 1, 0, kEcx, 22, kNone},
    {"POPCNT", 1, 0, kEcx, 23, kNone},
    {"AVX", 1, 0, kEcx, 28, kYmm},
    {"F16C", 1, 0, kEcx, 29, kYmm},
    {"BMI", 7, 0, kEbx, 3, kNone},
    {"AVX2", 7, 0, kEbx, 5, kYmm},
    {"BMI2", 7, 0, kEbx, 8, kNone},
    {"AVX512F", 7, 0, kEbx, 16, kZmm},
    {"AVX512DQ", 7, 0, kEbx, 17, kZmm},
    {"AVX512IFMA", 7, 0, kEbx, 21, kZmm},
    {"AVX512CD", 7, 0, kEbx, 28, kZmm},
    {"AVX512BW", 7, 0, kEbx, 30, kZmm},
    {"AVX512VL", 7, 0, kEbx, 31, kZmm},
    {"AVX512VBMI", 7, 0, kEcx, 1, kZmm},
    {"AVX512VBMI2", 7, 0, kEcx, 6, kZmm},
    {"GFNI", 7, 0, kEcx, 8, kNone},
    {"AVX512VNNI", 7, 0, kEcx, 11, kZmm},
    {"AVX512BITALG", 7, 0, kEcx, 12, kZmm},
    {"AVX512VPOPCNTDQ", 7, 0, kEcx, 14, kZmm},
    {"AVX512VP2INTERSECT", 7, 0, kEdx, 8, kZmm},
    {"AVX512FP16", 7, 0, kEdx, 23, kZmm},
    {"AVXVNNI", 7, 1, kEax, 4, kYmm},
    {"AVX512BF16", 7, 1, kEax, 5, kZmm},
    {"AVXIFMA", 7, 1, kEax, 23, kYmm},
    {"AVXVNNIINT8", 7, 1, kEdx, 4, kYmm},
    {"AVXNECONVERT", 7, 1, kEdx, 5, kYmm},
    {"AVXVNNIINT16", 7, 1, kEdx, 10, kYmm},
    {"LZCNT", 0x80000001, 0, kEcx, 5, kNone},
};

// The registers that the operating system saves: the low half of XCR0, 0 where it cannot be read.
unsigned saved_registers() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kOsXsave = 1u << 27;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsXsave) == 0) {
    return 0;
  }
  __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return eax;
}

}  // namespace

bool processor_has(const char* name) {
  for (const InstructionSet& set : kInstructionSets) {
    if (strcmp(set.name, name) == 0) {
      unsigned registers[4] = {};
      return __get_cpuid_count(set.leaf, set.subleaf, &registers[kEax], &registers[kEbx],
                               &registers[kEcx], &registers[kEdx]) != 0 &&
             (registers[set.where] >> set.bit & 1u) != 0 &&
             (saved_registers() & set.saved_registers) == set.saved_registers;
    }
  }
  return true;
}

#else

bool processor_has(const char* name) {
  (void)name;
  return true;
}

#endif

namespace {

void print(const char* text) {
  // Nothing is left to do when even this fails: the process is about to exit.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, strlen(text));
}

// 101 is the first priority that a program may use: before every ordinary static initialiser.
__attribute__((constructor(101))) void check_processor() {
  constexpr int kMost = 64;
  const char* missing[kMost];
  const int count = missing_instructions(kRequiredInstructions, processor_has, missing, kMost);
  if (count == 0) {
    return;
  }
  print("calque: this program was built for instructions that this processor lacks:");
  for (int i = 0; i < count; ++i) {
    print(" ");
    print(missing[i]);
  }
  print(
      "\nBuild it on this machine, or for every x86-64 processor with AVX2:\n"
      "  cmake --preset portable && cmake --build --preset portable\n"
      "and for older ones too with -DCALQUE_MARCH=x86-64 behind the first preset.\n");
  _exit(1);
}

}  // namespace

}  // namespace calque
