// The sheet as a FlatBuffers schema: wire/tspi_calls.fbs, printed from the roles, committed, and read by flatc alone.
// The text is the same on every platform, and its hash tells two ends in Hello whether they have the same sheet.
// Owner: nobody, the text is a constant. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/description.hpp"
#include "wire/values.hpp"

namespace tsplink::wire {

/// One table of a schema, for `names`, whose wire types are `types` (nullptr: does not cross). What does not cross
/// has a deprecated field, so that flatc accepts the position of every other one.
std::string schema_table(std::string_view name, std::span<const std::string_view> names,
                         std::span<const char* const> types);

/// The tables <function>_request and <function>_reply of one description.
template <class C>
std::string schema_tables() {
  return []<class... In, class... Out>(std::tuple<In...>*, std::tuple<Out...>*) {
    const char* const inputs[] = {ValueField<In>::schema...};
    const char* const outputs[] = {ValueField<Out>::schema...};
    return schema_table(std::string(C::name) + "_request", C::parameters, inputs) +
           schema_table(std::string(C::name) + "_reply", C::parameters, outputs);
  }(static_cast<typename C::Inputs*>(nullptr), static_cast<typename C::Outputs*>(nullptr));
}

/// The whole text, with \n at the ends of lines.
const std::string& schema_text();

/// FNV-1a of the text, 64 bits.
std::uint64_t sheet_hash();

}  // namespace tsplink::wire
