// The structures that cross TSPI: their fields, how to check one that a TSP filled in, how to print it, and how a
// scenario fills one for the TSP. Offsets follow from the order of tapi.h; a unit test compares the sizes.
// Owner: constant tables. Any thread may call.
#pragma once

#include <tspi.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text.hpp"

namespace tsplink::tapisim {

enum class FieldKind { dword, guid, time, variable };

struct Field {
  std::string name;  // a variable field is named by its stem: CallerID for dwCallerIDSize and dwCallerIDOffset
  FieldKind kind = FieldKind::dword;
  std::size_t at = 0;         // of the value, or of the DWORD with the variable field's size
  std::size_t offset_at = 0;  // of the DWORD with the variable field's offset
  std::string_view elements;  // a variable field of structures: which; their offsets count from this structure
};

struct Structure {
  std::string_view name;
  std::size_t size = 0;        // sizeof in tapi.h
  std::size_t minimum = 0;     // fixed part of the oldest version that TSPI 2.0 knows
  bool reports_sizes = false;  // has dwTotalSize, dwNeededSize, dwUsedSize
  std::vector<Field> fields;

  const Field* find(std::string_view field) const;
};

const std::vector<Structure>& structures();
const Structure* find_structure(std::string_view name);

struct FieldText {
  std::string name;
  std::string value;
};

/// Who reads the text: a person (everything that is not zero), a comparison (without what TAPI owns and without what
/// differs from machine to machine), or the comparison with a desktop of another machine (also without what exists on
/// the TSP's machine only: device classes of its hardware, its icons).
enum class For { reader, comparison, remote_comparison };

/// device: the device id that the structure should name; it prints as "this device".
std::vector<FieldText> fields_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                                   std::uint32_t device);
std::string structure_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                           std::uint32_t device);

/// The value of one field as fields_text prints it, zero too; "" when there is no such field.
std::string field_text(const Structure& structure, const BYTE* data, std::size_t size, std::string_view field);

/// A sentence for each variable field, of the structure or of its elements, that does not lie between the fixed part
/// and used (bytes, at most those of data).
std::vector<std::string> fields_outside(const Structure& structure, const BYTE* data, std::size_t used);

/// The permanent ids that a structure carries, by their fields' names.
std::vector<std::pair<std::string, Bytes>> permanent_ids(const Structure& structure, const BYTE* data,
                                                         std::size_t size);

DWORD dword_at(const BYTE* data, std::size_t at);
void set_dword(BYTE* data, std::size_t at, DWORD value);

/// A structure for the TSP out of field names and values ("dwMediaMode" = "4", "CallingPartyID" = "\"12\"");
/// throws std::runtime_error with a sentence when a field is unknown or a value is none.
Bytes build_structure(const Structure& structure, const std::map<std::string, std::string>& values);

/// A value as a scenario writes it: number, names joined by |.
std::uint64_t parse_number(std::string_view text);
/// Bytes as a scenario writes them: x:0102, pattern:SIZE:SEED, or "text" (UTF-16 with NUL when wide, else UTF-8).
Bytes parse_bytes(std::string_view text, bool wide);

}  // namespace tsplink::tapisim
