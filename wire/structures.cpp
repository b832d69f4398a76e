#include "wire/structures.hpp"

#include <array>

namespace tsplink::wire {

// The descriptions, built from structures.def while compiling.
namespace {

enum class Style { Totals, TotalOnly, KeyThenTotal, Element };

constexpr std::uint16_t at(std::size_t position) { return static_cast<std::uint16_t>(position); }

struct Facts {
  const char* name;
  Family family;
  Style style;
  std::array<VersionSize, 4> sizes{};
  std::array<Pair, 24> pairs{};
  std::array<RewriteField, 4> rewrites{};
  std::array<Field, 5> owned{};
  std::size_t size_count = 0, pair_count = 0, rewrite_count = 0, owned_count = 0;
  const StructureDescription* inline_element = nullptr;
  std::uint16_t inline_count_at = kNoMember;

  constexpr void fixed_part(std::uint32_t version, std::size_t bytes) { sizes[size_count++] = {version, at(bytes)}; }

  // A pair exists from the first version whose fixed part reaches past it.
  constexpr void pair(Pair pair) {
    for (std::size_t i = size_count; i-- > 0;) {
      if (pair.offset_at + sizeof(DWORD) <= sizes[i].bytes) pair.since = sizes[i].version;
    }
    pairs[pair_count++] = pair;
  }

  constexpr StructureDescription description() const {
    return {name,
            family,
            style == Style::Element        ? kNoMember
            : style == Style::KeyThenTotal ? at(sizeof(DWORD))
                                           : at(0),
            style == Style::Totals,
            std::span(sizes.data(), size_count),
            std::span(pairs.data(), pair_count),
            std::span(rewrites.data(), rewrite_count),
            std::span(owned.data(), owned_count),
            inline_element,
            inline_count_at};
  }
};

#define TSPLINK_PAIR(T, name, content, owned, element, count_at)                                                   \
  static_assert(sizeof(T::dw##name##Size) == 4 && sizeof(T::dw##name##Offset) == 4);                               \
  static_assert(offsetof(T, dw##name##Offset) == offsetof(T, dw##name##Size) + 4, #T " " #name);                   \
  facts.pair({"dw" #name, at(offsetof(T, dw##name##Size)), at(offsetof(T, dw##name##Offset)), Content::content, 0, \
              owned, element, count_at});

#define TSPI_STRUCTURE(T, family, style)           \
  static_assert(sizeof(T) <= kLargestFixedPart);   \
  constexpr Facts facts_of_##T() {                 \
    Facts facts{#T, Family::family, Style::style}; \
    check_totals<T, Style::style>();
#define TSPI_FIXED_PART(T, version, bytes, beyond)                   \
  static_assert(offsetof(T, beyond) == (bytes), #T " at " #version); \
  facts.fixed_part(version, bytes);
#define TSPI_FIXED_PART_TODAY(T, version, bytes)           \
  static_assert(sizeof(T) == (bytes), #T " at " #version); \
  facts.fixed_part(version, bytes);
#define TSPI_PAIR(T, name, content) TSPLINK_PAIR(T, name, content, false, nullptr, kNoMember)
#define TSPI_TAPI_PAIR(T, name, content) TSPLINK_PAIR(T, name, content, true, nullptr, kNoMember)
#define TSPI_ARRAY(T, name, element) TSPLINK_PAIR(T, name, Structures, false, &kDescriptionOf_##element, kNoMember)
#define TSPI_TAPI_ARRAY(T, name, element) \
  TSPLINK_PAIR(T, name, Structures, true, &kDescriptionOf_##element, kNoMember)
#define TSPI_COUNTED_ARRAY(T, name, element, count) \
  TSPLINK_PAIR(T, name, Structures, false, &kDescriptionOf_##element, at(offsetof(T, count)))
#define TSPI_INLINE_ARRAY(T, element, count)        \
  facts.inline_element = &kDescriptionOf_##element; \
  facts.inline_count_at = at(offsetof(T, count));
#define TSPI_REWRITE(T, member, what) \
  facts.rewrites[facts.rewrite_count++] = {{#member, at(offsetof(T, member)), at(sizeof(T::member))}, Rewrite::what};
#define TSPI_TAPI_OWNED(T, member) \
  facts.owned[facts.owned_count++] = {#member, at(offsetof(T, member)), at(sizeof(T::member))};
#define TSPI_END(T)                              \
  return facts;                                  \
  }                                              \
  constexpr Facts kFactsOf_##T = facts_of_##T(); \
  constexpr StructureDescription kDescriptionOf_##T = kFactsOf_##T.description();
#define TSPI_FIXED(T, bytes) static_assert(sizeof(T) == (bytes), #T);

template <class T, Style style>
constexpr void check_totals() {
  if constexpr (style == Style::Totals) {
    static_assert(offsetof(T, dwTotalSize) == 0 && offsetof(T, dwNeededSize) == 4 && offsetof(T, dwUsedSize) == 8);
  } else if constexpr (style != Style::Element) {
    static_assert(offsetof(T, dwTotalSize) == (style == Style::KeyThenTotal ? 4 : 0));
  }
}

#include "wire/structures.def"

}  // namespace

#define TSPI_END(T)                           \
  template <>                                 \
  const StructureDescription& describe<T>() { \
    return kDescriptionOf_##T;                \
  }
#include "wire/structures.def"

std::span<const StructureDescription* const> all_structures() {
#define TSPI_END(T) &kDescriptionOf_##T,
  static constexpr const StructureDescription* kAll[] = {
#include "wire/structures.def"
  };
  return kAll;
}

std::uint32_t fixed_size(const StructureDescription& structure, std::uint32_t version) {
  std::uint32_t bytes = structure.sizes.front().bytes;
  for (const VersionSize& size : structure.sizes) {
    if (size.version <= version) bytes = size.bytes;
  }
  return bytes;
}

}  // namespace tsplink::wire
