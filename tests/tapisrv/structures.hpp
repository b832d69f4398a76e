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

constexpr DWORD kNewestVersion = 0x00030001;

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
  std::size_t size = 0;        // sizeof in tapi.h, without the array at its end
  bool reports_sizes = false;  // has dwTotalSize, dwNeededSize, dwUsedSize
  std::vector<Field> fields;
  // An array at the end, its elements, the field that counts them; offsets in them count from this structure.
  std::string_view tail, tail_element, tail_count;

  const Field* find(std::string_view field) const;
};

const std::vector<Structure>& structures();
const Structure* find_structure(std::string_view name);
/// How long the fixed part is in a version of TSPI.
std::size_t fixed_part(const Structure& structure, DWORD version);

struct FieldText {
  std::string name;
  std::string value;
};

/// Who reads the text: a person (everything that is not zero), a comparison (without what TAPI owns and without what
/// differs from machine to machine), or the comparison with a desktop of another machine (also without what exists on
/// the TSP's machine only: device classes of its hardware, its icons).
enum class For { reader, comparison, remote_comparison };

/// device: the device id that the structure should name; it prints as "this device". version: of TSPI, in which the
/// structure is laid out, here and below.
std::vector<FieldText> fields_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                                   std::uint32_t device, DWORD version = kNewestVersion);
std::string structure_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                           std::uint32_t device, DWORD version = kNewestVersion);

/// The value of one field as fields_text prints it, zero too; "" when there is no such field.
std::string field_text(const Structure& structure, const BYTE* data, std::size_t size, std::string_view field,
                       DWORD version = kNewestVersion);

/// A sentence for each variable field, of the structure or of its elements, that does not lie between the fixed part
/// and used (bytes, at most those of data).
std::vector<std::string> fields_outside(const Structure& structure, const BYTE* data, std::size_t used,
                                        DWORD version = kNewestVersion);

/// Does a field have a value other than 0, those left out that say how large the structure is?
bool says_anything(const Structure& structure, const BYTE* data, std::size_t size);

/// The permanent ids that a structure carries, by their fields' names.
std::vector<std::pair<std::string, Bytes>> permanent_ids(const Structure& structure, const BYTE* data,
                                                         std::size_t size, DWORD version);

DWORD dword_at(const BYTE* data, std::size_t at);
void set_dword(BYTE* data, std::size_t at, DWORD value);

/// A structure for the TSP out of field names and values ("dwMediaMode" = "4", "CallingPartyID" = "\"12\"",
/// "ForwardList[0].DestAddress" = "\"34\""); throws std::runtime_error with a sentence when a field is unknown or a
/// value is none.
Bytes build_structure(const Structure& structure, const std::map<std::string, std::string>& values,
                      DWORD version = kNewestVersion);

/// A value as a scenario writes it: number, names joined by |.
std::uint64_t parse_number(std::string_view text);
/// Bytes as a scenario writes them: x:0102, pattern:SIZE:SEED, or "text" (UTF-16 with NUL when wide, else UTF-8).
Bytes parse_bytes(std::string_view text, bool wide);

}  // namespace tsplink::tapisim
