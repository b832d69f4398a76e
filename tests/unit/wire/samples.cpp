#include "samples.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> asked{0};

void* counted(std::size_t size) {
  asked += size;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace tsplink::wire::testing {

Allocations::Allocations() : before_(asked) {}
std::size_t Allocations::bytes() const { return asked - before_; }

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
