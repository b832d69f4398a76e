// Random values of everything that crosses, for tests that are derived from the sheet. One seed for a run, printed
// with each failure; TSPLINK_TEST_SEED repeats or varies it. One thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>

#include "wire/calls.hpp"
#include "wire/codec.hpp"

namespace tsplink::wire::testing {

std::uint64_t test_seed();

/// Bytes in a heap block of exactly their size, so that a sanitizer sees one byte too far on either side.
class Exact {
 public:
  explicit Exact(std::span<const std::uint8_t> bytes) : data_(new std::uint8_t[bytes.size()]), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(data_.get(), bytes.data(), size_);
  }
  std::span<const std::uint8_t> span() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_;
};

enum class Shape { Empty, Null, Random, Maximal };
inline constexpr Shape kShapes[] = {Shape::Empty, Shape::Null, Shape::Random, Shape::Maximal};

class Samples {
 public:
  explicit Samples(std::uint64_t salt, Shape shape = Shape::Random, std::size_t largest = 300)
      : engine_(test_seed() * 1000003 + salt), shape_(shape), largest_(largest) {}

  std::uint64_t number() { return engine_(); }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  Bytes bytes(std::size_t size);

  void fill(Nothing&) {}
  void fill(std::uint32_t& value);
  void fill(std::uint64_t& value);
  void fill(Block& value);
  void fill(Utf16& value);

  /// A tuple of wire values, Description::Inputs for example.
  template <class Values>
  Values values() {
    Values result{};
    std::apply([&](auto&... each) { (fill(each), ...); }, result);
    return result;
  }

 private:
  std::mt19937_64 engine_;
  Shape shape_;
  std::size_t largest_;
};

template <class C>
std::string at(const char* what, Function function) {
  return std::string(C::name) + " (" + std::to_string(static_cast<unsigned>(function)) + ") " + what +
         ", TSPLINK_TEST_SEED=" + std::to_string(test_seed());
}

}  // namespace tsplink::wire::testing
