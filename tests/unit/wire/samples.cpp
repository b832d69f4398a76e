#include "samples.hpp"

#include <cstdlib>

namespace tsplink::wire::testing {

std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("TSPLINK_TEST_SEED");
    return given ? std::strtoull(given, nullptr, 10) : 20'250'101ULL;
  }();
  return seed;
}

Bytes Samples::bytes(std::size_t size) {
  Bytes result(size);
  for (auto& byte : result) byte = static_cast<std::uint8_t>(engine_());
  return result;
}

void Samples::fill(std::uint32_t& value) {
  value = shape_ == Shape::Maximal  ? 0xFFFFFFFFU
          : shape_ == Shape::Random ? static_cast<std::uint32_t>(engine_())
                                    : 0;
}

void Samples::fill(std::uint64_t& value) {
  value = shape_ == Shape::Maximal ? ~std::uint64_t{0} : shape_ == Shape::Random ? engine_() : 0;
}

void Samples::fill(Block& value) {
  switch (shape_) {
    case Shape::Null: value = std::nullopt; return;
    case Shape::Empty: value = Bytes(); return;
    case Shape::Maximal: value = Bytes(kMaxBlock, 0xA5); return;
    case Shape::Random:
      value = std::nullopt;
      if (below(4) != 0) value = bytes(below(largest_));
  }
}

void Samples::fill(Utf16& value) {
  switch (shape_) {
    case Shape::Null: value = std::nullopt; return;
    case Shape::Empty: value = std::u16string(); return;
    case Shape::Maximal: value = std::u16string(kMaxText, u'\x4E2D'); return;
    case Shape::Random:
      value = std::nullopt;
      if (below(4) == 0) return;
      value.emplace();
      for (std::size_t i = below(largest_); i > 0; --i)
        value->push_back(static_cast<char16_t>(1 + engine_() % 0xFFFF));
  }
}

}  // namespace tsplink::wire::testing
