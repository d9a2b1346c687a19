#include "extraction/kernels.hpp"
#include "xner/simd_level.hpp"

namespace xner {

namespace {

const ExtractionKernels& kernels_for(SimdLevel level) {
#if defined(XNER_X86_LEVELS)
  if (level == SimdLevel::avx2) return avx2::extraction_kernels;
#endif
  static_cast<void>(level);
  return baseline::extraction_kernels;
}

}  // namespace

const ExtractionKernels& extraction_kernels() {
  static const ExtractionKernels& kernels = kernels_for(simd_level());
  return kernels;
}

}  // namespace xner
