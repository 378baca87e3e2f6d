#include "data/data_options.h"

namespace calque {

FaultPolicy DataOptions::policy(Fault fault) const {
  switch (fault) {
    case Fault::kEmptySource:
    case Fault::kEmptyTarget:
    case Fault::kEmptyBoth:
      return empty;
    case Fault::kSourceTooLong:
    case Fault::kTargetTooLong:
      return too_long;
    case Fault::kLengthRatio:
      return length_ratio;
    case Fault::kCopy:
      return copy;
    case Fault::kDuplicate:
    case Fault::kInTraining:
      return FaultPolicy::kKeep;
    default:
      return lines.of(fault);
  }
}

DataOptions DataOptions::without_errors() const {
  DataOptions changed = *this;
  changed.lines = lines.with(FaultPolicy::kError, FaultPolicy::kSkip);
  for (FaultPolicy* policy :
       {&changed.empty, &changed.too_long, &changed.length_ratio, &changed.copy}) {
    if (*policy == FaultPolicy::kError) *policy = FaultPolicy::kSkip;
  }
  return changed;
}

}  // namespace calque
