#pragma once

namespace calque {

/// The scalar of every tensor, parameter and gradient. Kernels are templates over it; above them no
/// template parameter travels. The tests compile the floors above a second time with double, for
/// gradient checks that rounding does not blur.
#ifdef CALQUE_REAL_DOUBLE
using Real = double;
#else
using Real = float;
#endif

}  // namespace calque
