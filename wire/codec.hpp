// A function's inputs and outputs as FlatBuffers tables. A field's number is its parameter's position in the sheet
// and never moves; what does not cross has no field. Pure functions; any thread. The bytes are those of the tables
// that wire/tspi_calls.fbs describes (a test lets flatc's own reader read them).
#pragma once

#include <flatbuffers/flatbuffers.h>

#include "wire/description.hpp"
#include "wire/failure.hpp"
#include "wire/values.hpp"

namespace tsplink::wire {

constexpr flatbuffers::voffset_t field_offset(std::size_t position) {
  return static_cast<flatbuffers::voffset_t>((position + 2) * sizeof(flatbuffers::voffset_t));
}

namespace detail {

template <class Values, std::size_t... I>
Bytes encode_table(const Values& values, std::index_sequence<I...>) {
  flatbuffers::FlatBufferBuilder builder(256);
  auto prepare = [&]<std::size_t At>() {
    using Value = std::tuple_element_t<At, Values>;
    if constexpr (kCrosses<Value>) {
      return ValueField<Value>::prepare(builder, std::get<At>(values));
    } else {
      return Nothing{};
    }
  };
  // Vectors lie before the table; the elements of a braced list are made in order.
  const std::tuple prepared{prepare.template operator()<I>()...};
  const auto start = builder.StartTable();
  auto add = [&]<std::size_t At>() {
    using Value = std::tuple_element_t<At, Values>;
    if constexpr (kCrosses<Value>) ValueField<Value>::add(builder, field_offset(At), std::get<At>(prepared));
  };
  (add.template operator()<I>(), ...);
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(start)));
  return Bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

template <class Values>
struct CheckedTable : private flatbuffers::Table {
  bool Verify(flatbuffers::Verifier& verifier) const {  // NOLINT: the name that FlatBuffers calls
    return VerifyTableStart(verifier) && fields(verifier, std::make_index_sequence<std::tuple_size_v<Values>>{}) &&
           verifier.EndTable();
  }
  const flatbuffers::Table& table() const { return *this; }

 private:
  template <std::size_t... I>
  bool fields(const flatbuffers::Verifier& verifier, std::index_sequence<I...>) const {
    return (field<I>(verifier) && ...);
  }
  template <std::size_t I>
  bool field(const flatbuffers::Verifier& verifier) const {
    using Value = std::tuple_element_t<I, Values>;
    if constexpr (kCrosses<Value>) {
      return ValueField<Value>::verify(*this, verifier, field_offset(I));
    } else {
      return true;
    }
  }
};

template <class Values, std::size_t... I>
Values read_table(const flatbuffers::Table& table, std::index_sequence<I...>) {
  auto read = [&]<std::size_t At>() -> std::tuple_element_t<At, Values> {
    using Value = std::tuple_element_t<At, Values>;
    if constexpr (kCrosses<Value>) {
      return ValueField<Value>::read(table, field_offset(At));
    } else {
      return {};
    }
  };
  return Values{read.template operator()<I>()...};
}

}  // namespace detail

/// Encodes a tuple of wire values, for example Description::Inputs.
template <class Values>
Bytes encode(const Values& values) {
  return detail::encode_table(values, std::make_index_sequence<std::tuple_size_v<Values>>{});
}

/// Verifies and reads. `bytes` is aligned to 8 as a Buffer's and a nested block's bytes are; a peer can place a block
/// elsewhere, so that is checked too. Throws Failure(Malformed).
template <class Values>
Values decode(std::span<const std::uint8_t> bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 4, 4);
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0;
  if (bytes.size() < 8 || !aligned || !verifier.VerifyBuffer<detail::CheckedTable<Values>>(nullptr)) {
    throw Failure(Kind::Malformed, "a table of a function's values is malformed");
  }
  const auto* root = flatbuffers::GetRoot<detail::CheckedTable<Values>>(bytes.data());
  return detail::read_table<Values>(root->table(), std::make_index_sequence<std::tuple_size_v<Values>>{});
}

}  // namespace tsplink::wire
