// The shapes of TSPI's structures (wire/structures.def) at run time, and the three things done with them wherever
// bytes of a vendor, of TAPI or of the network come in: check, clamp, store. Whoever was not checked here is not
// believed. Owner: descriptions are constants, the functions keep nothing. Any thread; a buffer belongs to its caller
// for the call. Sizes, offsets and positions are bytes; versions are TSPI's (0x00020002 is 2.2).
#pragma once

#include <tspi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "wire/errors.hpp"

namespace tsplink::wire {

struct StructureDescription;

/// What a variable part holds. Text is UTF-16, DeviceClasses a list of such texts, Structures an array of
/// `Pair::element`.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // g++ 12 takes a scoped enumerator for a hiding of wire::Bytes
enum class Content { Text, Bytes, Dwords, DeviceClasses, Structures };
#pragma GCC diagnostic pop

/// A member whose value belongs to one machine, to be rewritten for each desktop. DeviceClasses
/// names a variable part by its dw...Size, MspFlag the LINEDEVCAPFLAGS_MSP bit.
enum class Rewrite {
  LineDeviceId,
  PermanentLineId,
  PermanentLineGuid,
  PermanentPhoneId,
  PermanentPhoneGuid,
  MspFlag,
  DeviceClasses,
  CallId
};

inline constexpr std::uint16_t kNoMember = 0xFFFF;
inline constexpr std::size_t kLargestFixedPart = 512;  // of any structure, for buffers on the stack

/// A variable part: two DWORDs of the fixed part, at `size_at` and `offset_at`. Offsets always count from the
/// outermost structure, those inside of array elements too.
struct Pair {
  const char* name;  // "dwCallerID" for dwCallerIDSize and dwCallerIDOffset
  std::uint16_t size_at;
  std::uint16_t offset_at;
  Content content;
  std::uint32_t since;                  // TSPI version
  bool tapi_owned;                      // TAPI fills it in
  const StructureDescription* element;  // Structures only
  std::uint16_t count_at;               // member with the number of elements, or kNoMember
};

/// From `version` on the fixed part has `bytes` bytes.
struct VersionSize {
  std::uint32_t version;
  std::uint16_t bytes;
};

struct Field {
  const char* name;
  std::uint16_t at;
  std::uint16_t size;
};

struct RewriteField {
  Field field;
  Rewrite what;
};

struct StructureDescription {
  const char* name;
  Family family;
  std::uint16_t total_at;  // dwTotalSize; kNoMember in elements of arrays
  bool has_totals;         // dwTotalSize, dwNeededSize, dwUsedSize come first
  std::span<const VersionSize> sizes;
  std::span<const Pair> pairs;
  std::span<const RewriteField> rewrites;      // members past the negotiated fixed part do not count
  std::span<const Field> tapi_owned;           // pairs that TAPI owns are marked in `pairs`
  const StructureDescription* inline_element;  // elements right after the fixed part (LINEFORWARDLIST), or null
  std::uint16_t inline_count_at;
};

/// describe<LINECALLINFO>(): for every variable-length structure, and the elements of its arrays.
template <class T>
const StructureDescription& describe();
#define TSPI_END(T) \
  template <>       \
  const StructureDescription& describe<T>();
#include "wire/structures.def"

/// True for the structures that are nothing but their bytes (LINEDIALPARAMS, GUID ...).
template <class T>
struct IsFixedStructure : std::false_type {};
#define TSPI_FIXED(T, bytes) \
  template <>                \
  struct IsFixedStructure<T> : std::true_type {};
#include "wire/structures.def"

/// All of describe(), elements included.
std::span<const StructureDescription* const> all_structures();

std::uint32_t fixed_size(const StructureDescription& structure, std::uint32_t version);

/// An input, from a caller or the network (LINECALLPARAMS ...): dwTotalSize does not exceed `bytes`, the fixed part
/// of `version` or of an older one (2.0 at least) fits, every variable part lies behind it and inside dwTotalSize.
/// Throws Failure(Kind::Malformed) that names structure and member, with the error that its caller shall hear.
void check_input(const StructureDescription& structure, std::span<const std::uint8_t> bytes, std::uint32_t version);

/// An output that came from the other side: as check_input(), but dwUsedSize is what `bytes` must hold; dwTotalSize
/// is the other side's capacity and says nothing here.
void check_output(const StructureDescription& structure, std::span<const std::uint8_t> bytes, std::uint32_t version);

struct Mended {
  std::uint32_t bytes = 0;          // worth sending; 0: the buffer cannot even hold the fixed part
  std::vector<std::string> fields;  // what was mended, for the log; at most 16 names
};

/// What a vendor wrote into a zeroed buffer, made true: dwTotalSize is the buffer's size again; a
/// variable part that is not wholly behind the fixed part and inside the buffer gets size and offset 0; dwUsedSize is
/// the end of the last good part; dwNeededSize is at least that. Parts beyond the vendor's own dwUsedSize count when
/// they are inside the buffer. Passes check_output() afterwards. Structures with totals only; never throws for what a
/// vendor wrote.
Mended clamp_output(const StructureDescription& structure, std::span<std::uint8_t> bytes, std::uint32_t version);

/// The most that the variable parts of one store_output() take together. One source fits in one frame (1 MiB), so
/// more than this needs parts that share bytes on purpose; such parts are left out.
inline constexpr std::uint32_t kLaidOutLimit = 1U << 20U;

/// Writes `source`, a complete structure from the host, into TAPI's buffer at `destination`, which has its
/// dwTotalSize: the fixed part of the negotiated `version`, then the variable parts one after the other from right
/// behind it, each on a multiple of 4. A part that does not fit keeps size and offset 0 and is never cut;
/// dwNeededSize tells what all of them need. Members and parts that TAPI owns, and dwTotalSize, stay as they are in
/// `destination`. `source_version` is the version that laid `source` out (0: the same); its newer members are
/// dropped, its missing ones 0. Parts of `source` that lie outside of it are left out. Returns 0, or
/// STRUCTURETOOSMALL of the structure's family with nothing written. A source that is incomplete itself (dwNeededSize
/// over its dwTotalSize) raises dwNeededSize, to kLaidOutLimit at most (VARSTRING serves both families: use
/// to_family()).
LONG store_output(const StructureDescription& structure, std::span<const std::uint8_t> source, void* destination,
                  std::uint32_t version, std::uint32_t source_version = 0);

}  // namespace tsplink::wire
