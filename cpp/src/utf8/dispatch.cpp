#include "utf8/kernels.hpp"
#include "xner/simd_level.hpp"
#include "xner/utf8.hpp"

namespace xner {

const Utf8Kernels& utf8_kernels(SimdLevel level) {
#if defined(XNER_X86_LEVELS)
  if (level == SimdLevel::avx2) return avx2::utf8_kernels;
#endif
  static_cast<void>(level);
  return baseline::utf8_kernels;
}

const Utf8Kernels& utf8_kernels() {
  static const Utf8Kernels& kernels = utf8_kernels(simd_level());
  return kernels;
}

bool is_utf8(std::string_view text) {
  return utf8_kernels().kind(reinterpret_cast<const unsigned char*>(text.data()), text.size()) !=
         Utf8::broken;
}

}  // namespace xner
