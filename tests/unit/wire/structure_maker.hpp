// Structures as vendors fill them, good and in every order, for the tests of wire/structures.hpp; TSPLINK_TEST_SEED
// repeats a run.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "wire/structures.hpp"
#include "wire/values.hpp"

namespace tsplink::wire {

constexpr std::uint32_t kVersions[] = {0x00010003, 0x00010004, 0x00020000, 0x00020001,
                                       0x00020002, 0x00030000, 0x00030001};
constexpr std::uint32_t kNewest = 0x00030001;

inline std::uint32_t word(const std::uint8_t* bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes + at, sizeof value);
  return value;
}
inline void put(std::uint8_t* bytes, std::size_t at, std::uint64_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  std::memcpy(bytes + at, &narrow, sizeof narrow);
}

/// A heap block of exactly `size` bytes: a sanitizer sees one byte too far.
struct Exact {
  explicit Exact(std::size_t size_, std::uint8_t fill = 0) : bytes(new std::uint8_t[size_]), size(size_) {
    std::memset(bytes.get(), fill, size);
  }
  explicit Exact(const Bytes& from) : Exact(from.size()) { std::copy(from.begin(), from.end(), bytes.get()); }
  std::uint8_t* get() { return bytes.get(); }
  std::span<std::uint8_t> span() { return {bytes.get(), size}; }
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t size;
};

inline unsigned seed() {
  const char* given = std::getenv("TSPLINK_TEST_SEED");
  const unsigned value = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  testing::Test::RecordProperty("seed", std::to_string(value));
  std::printf("TSPLINK_TEST_SEED=%u\n", value);
  return value;
}

/// Makes structures as a good vendor would, but with their parts in any order and with gaps.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  Bytes make(const StructureDescription& structure, std::uint32_t version, bool empty_parts = true) {
    const std::uint32_t fixed = fixed_size(structure, version);
    Bytes bytes(fixed);
    for (auto& byte : bytes) byte = any_byte();
    if (structure.inline_element) {
      const std::uint32_t count = 3, step = fixed_size(*structure.inline_element, version);
      put(bytes.data(), structure.inline_count_at, count);
      bytes.resize(fixed + count * step, 0x11);
      for (std::uint32_t i = 0; i < count; ++i)
        fill_parts(*structure.inline_element, fixed + i * step, version, bytes, empty_parts);
    }
    fill_parts(structure, 0, version, bytes, empty_parts);
    if (structure.has_totals) {
      put(bytes.data(), 0, bytes.size() + 100);  // the capacity at the vendor
      put(bytes.data(), 4, bytes.size());
      put(bytes.data(), 8, bytes.size());
    } else {
      put(bytes.data(), structure.total_at, bytes.size());
    }
    return bytes;
  }

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  std::uint32_t any_word() { return static_cast<std::uint32_t>(random_()); }

 private:
  std::uint8_t any_byte() { return static_cast<std::uint8_t>(random_() % 255 + 1); }

  void fill_parts(const StructureDescription& structure, std::size_t base, std::uint32_t version, Bytes& bytes,
                  bool empty) {
    std::vector<const Pair*> order;
    for (const Pair& pair : structure.pairs)
      if (pair.since <= version) order.push_back(&pair);
    std::shuffle(order.begin(), order.end(), random_);
    for (const Pair* pair : order) {
      const std::uint32_t step = pair->element ? fixed_size(*pair->element, version) : 1;
      const std::uint32_t count = pair->element ? 1 + below(3) : empty && below(5) == 0 ? 0 : 1 + below(21);
      bytes.resize(bytes.size() + below(4), 0xEE);
      const std::size_t begin = bytes.size();
      for (std::uint32_t i = 0; i < count * step; ++i) bytes.push_back(any_byte());
      put(bytes.data(), base + pair->size_at, count * step);
      put(bytes.data(), base + pair->offset_at, count == 0 ? 0 : begin);
      if (pair->count_at != kNoMember) put(bytes.data(), base + pair->count_at, count);
      for (std::uint32_t i = 0; pair->element && i < count; ++i)
        fill_parts(*pair->element, begin + i * step, version, bytes, empty);
    }
  }

  std::mt19937 random_;
};

inline std::vector<const StructureDescription*> with_totals() {
  std::vector<const StructureDescription*> all;
  for (const auto* structure : all_structures())
    if (structure->has_totals) all.push_back(structure);
  return all;
}
inline std::vector<const StructureDescription*> inputs() {
  return {&describe<LINECALLPARAMS>(), &describe<LINEFORWARDLIST>(), &describe<LINECALLQOSINFO>(),
          &describe<PHONEBUTTONINFO>()};
}

inline std::string message_of(const StructureDescription& structure, std::span<const std::uint8_t> bytes,
                              std::uint32_t version, bool output = false) {
  try {
    if (output) check_output(structure, bytes, version);
    else check_input(structure, bytes, version);
  } catch (const Failure& failure) {
    EXPECT_EQ(Kind::Malformed, failure.kind());
    return failure.what();
  }
  return {};
}

}  // namespace tsplink::wire
