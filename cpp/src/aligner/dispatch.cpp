#include "aligner/kernels.hpp"
#include "xner/simd_level.hpp"

namespace xner::aligner {

namespace {

const AlignerKernels& kernels_for(SimdLevel level) {
#if defined(XNER_X86_LEVELS)
  if (level == SimdLevel::avx2) return avx2::aligner_kernels;
#endif
  static_cast<void>(level);
  return baseline::aligner_kernels;
}

}  // namespace

const AlignerKernels& aligner_kernels() {
  static const AlignerKernels& kernels = kernels_for(simd_level());
  return kernels;
}

}  // namespace xner::aligner
