// The few kinds of value that cross the wire, and how each one lies in a FlatBuffers table: what is written, what the
// printed schema says, what a verifier accepts. Pure functions; any thread.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "wire/channel.hpp"

namespace tsplink::wire {

/// Nothing crosses: the parameter is local to one side or derived there.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

/// A block of bytes or a UTF-16 text; empty optional: a NULL pointer.
using Block = std::optional<Bytes>;
using Utf16 = std::optional<std::u16string>;

/// Bounds of what is taken from the wire.
constexpr std::uint32_t kMaxBlock = 256 * 1024;
constexpr std::uint32_t kMaxText = 32 * 1024;

template <class Value>
struct ValueField;  // schema, prepare (before the table starts), add, verify, read

template <class Number>
struct NumberField {
  using Prepared = Number;
  static Prepared prepare(flatbuffers::FlatBufferBuilder&, Number value) { return value; }
  static void add(flatbuffers::FlatBufferBuilder& builder, flatbuffers::voffset_t at, Prepared value) {
    builder.AddElement<Number>(at, value, 0);
  }
  static bool verify(const flatbuffers::Table& table, const flatbuffers::Verifier& verifier,
                     flatbuffers::voffset_t at) {
    return table.VerifyField<Number>(verifier, at, sizeof(Number));
  }
  static Number read(const flatbuffers::Table& table, flatbuffers::voffset_t at) {
    return table.GetField<Number>(at, 0);
  }
};

template <>
struct ValueField<std::uint32_t> : NumberField<std::uint32_t> {
  static constexpr const char* schema = "uint";
};
template <>
struct ValueField<std::uint64_t> : NumberField<std::uint64_t> {
  static constexpr const char* schema = "ulong";
};

template <class Container, class Element>
struct VectorField {
  using Prepared = flatbuffers::Offset<flatbuffers::Vector<Element>>;
  static Prepared prepare(flatbuffers::FlatBufferBuilder& builder, const std::optional<Container>& value) {
    if (!value) return 0;
    return builder.CreateVector(reinterpret_cast<const Element*>(value->data()), value->size());
  }
  static void add(flatbuffers::FlatBufferBuilder& builder, flatbuffers::voffset_t at, Prepared value) {
    builder.AddOffset(at, value);
  }
  static bool verify(const flatbuffers::Table& table, const flatbuffers::Verifier& verifier,
                     flatbuffers::voffset_t at) {
    return table.VerifyOffset(verifier, at) &&
           verifier.VerifyVector(table.GetPointer<const flatbuffers::Vector<Element>*>(at));
  }
  static std::optional<Container> read(const flatbuffers::Table& table, flatbuffers::voffset_t at) {
    const auto* vector = table.GetPointer<const flatbuffers::Vector<Element>*>(at);
    if (!vector) return std::nullopt;
    Container value(vector->size(), {});
    std::copy(vector->begin(), vector->end(), value.begin());
    return value;
  }
};

template <>
struct ValueField<Block> : VectorField<Bytes, std::uint8_t> {
  static constexpr const char* schema = "[ubyte]";
};
template <>
struct ValueField<Utf16> : VectorField<std::u16string, std::uint16_t> {
  static constexpr const char* schema = "[ushort]";
};
template <>
struct ValueField<Nothing> {
  static constexpr const char* schema = nullptr;
};

template <class Value>
constexpr bool kCrosses = !std::is_same_v<Value, Nothing>;

}  // namespace tsplink::wire
