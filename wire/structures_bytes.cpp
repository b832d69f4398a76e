// What is done with a structure's bytes by its description: check, clamp, store.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "wire/structures.hpp"

namespace tsplink::wire {

// ---- looking at bytes nobody vouches for; all arithmetic in 64 bits, so that nothing wraps ----

namespace {

constexpr std::size_t kTotalAt = 0, kNeededAt = 4, kUsedAt = 8, kTotalsSize = 12;
constexpr std::size_t kMaxNames = 16;  // of mended fields: a log line, not a dump

std::uint32_t load(const std::uint8_t* from) {
  std::uint32_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

void store(std::uint8_t* to, std::uint64_t value) {
  const auto word = static_cast<std::uint32_t>(value);
  std::memcpy(to, &word, sizeof word);
}

/// Something wrong in a structure: a variable part, or the count of its elements.
struct Bad {
  std::size_t size_at;  // where the words are, from the beginning of the bytes
  std::size_t offset_at;
  const Pair* pair;                    // null: the inline elements
  std::optional<std::uint32_t> index;  // of the element, where the part is one inside of it
  const Pair* inner;
  bool count;          // the count is wrong, the part is good
  std::uint32_t most;  // elements that are really there
  const char* reason;
};

const char* const kInsideFixedPart = "begins inside of the fixed part";
const char* const kBeyondEnd = "reaches beyond the end";
const char* const kCountsTooMany = "counts more elements than there are";

/// One structure's bytes between the end of its fixed part and `end`.
class Inspector {
 public:
  Inspector(const StructureDescription& structure, std::span<const std::uint8_t> bytes, std::uint32_t version,
            std::uint64_t end)
      : structure_(structure), bytes_(bytes), version_(version), end_(end), start_(fixed_size(structure, version)) {}

  /// Calls `on_bad` for all that is wrong, which may zero what it is told of; returns where the last good part ends.
  template <class OnBad>
  std::uint64_t run(const OnBad& on_bad) {
    std::uint64_t extent = start_;
    if (structure_.inline_element) extent = inline_elements(on_bad);
    for (const Pair& pair : structure_.pairs) {
      if (pair.since > version_) continue;
      const Bad bad{pair.size_at, pair.offset_at, &pair, {}, nullptr, false, 0, nullptr};
      if (!part(bad, extent, on_bad) || !pair.element) continue;
      array(pair, extent, on_bad);
    }
    return extent;
  }

  /// The bytes from one element of an array to the next. Where the array's size and count agree on one of the layouts
  /// that ever were, that is it: a vendor may be built with another version's header than it negotiates.
  static std::uint32_t stride(const Pair& pair, const std::uint8_t* bytes, std::uint32_t version) {
    const std::uint32_t usual = fixed_size(*pair.element, version);
    if (pair.count_at == kNoMember) return usual;
    const std::uint64_t count = load(bytes + pair.count_at), size = load(bytes + pair.size_at);
    if (count == 0 || count * usual == size) return usual;
    for (const VersionSize& layout : pair.element->sizes) {
      if (count * layout.bytes == size) return layout.bytes;
    }
    return usual;
  }

 private:
  // True when the part is there and good.
  template <class OnBad>
  bool part(Bad bad, std::uint64_t& extent, const OnBad& on_bad) const {
    const std::uint64_t size = load(bytes_.data() + bad.size_at), offset = load(bytes_.data() + bad.offset_at);
    if (size == 0) return false;
    if (offset < start_) bad.reason = kInsideFixedPart;
    else if (offset + size > end_) bad.reason = kBeyondEnd;
    if (bad.reason) {
      on_bad(bad);
      return false;
    }
    extent = std::max(extent, offset + size);
    return true;
  }

  template <class OnBad>
  void elements(const Pair* pair, const StructureDescription& element, std::uint64_t first, std::uint32_t count,
                std::uint32_t step, std::uint64_t& extent, const OnBad& on_bad) const {
    if (element.pairs.empty()) return;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto begin = static_cast<std::size_t>(first + std::uint64_t{i} * step);
      for (const Pair& inner : element.pairs) {
        part({begin + inner.size_at, begin + inner.offset_at, pair, i, &inner, false, 0, nullptr}, extent, on_bad);
      }
    }
  }

  template <class OnBad>
  void array(const Pair& pair, std::uint64_t& extent, const OnBad& on_bad) const {
    const std::uint32_t size = load(bytes_.data() + pair.size_at), offset = load(bytes_.data() + pair.offset_at);
    std::uint32_t step = stride(pair, bytes_.data(), version_);
    if (pair.count_at != kNoMember && load(bytes_.data() + pair.count_at) > size / step) {
      on_bad(Bad{pair.size_at, pair.offset_at, &pair, {}, nullptr, true, size / step, kCountsTooMany});
      step = stride(pair, bytes_.data(), version_);  // the count may be another now, and then the layout too
    }
    elements(&pair, *pair.element, offset, size / step, step, extent, on_bad);
  }

  // The offsets inside of inline elements must point behind all of them.
  template <class OnBad>
  std::uint64_t inline_elements(const OnBad& on_bad) {
    const std::uint32_t step = fixed_size(*structure_.inline_element, version_);
    const std::uint64_t first = start_;
    const auto most = static_cast<std::uint32_t>((end_ - first) / step);
    std::uint32_t count = load(bytes_.data() + structure_.inline_count_at);
    if (count > most) {
      on_bad(Bad{0, 0, nullptr, {}, nullptr, true, most, kCountsTooMany});
      count = most;
    }
    start_ = first + std::uint64_t{count} * step;
    std::uint64_t extent = start_;
    elements(nullptr, *structure_.inline_element, first, count, step, extent, on_bad);
    return extent;
  }

  const StructureDescription& structure_;
  std::span<const std::uint8_t> bytes_;
  std::uint32_t version_;
  std::uint64_t end_;
  std::uint64_t start_;
};

std::string name_of(const Bad& bad) {
  std::string name = bad.pair ? bad.pair->name : "elements";
  if (bad.index) name += "[" + std::to_string(*bad.index) + "]." + bad.inner->name;
  return name;
}

/// `code`: of an input, what its caller hears; 0 elsewhere.
[[noreturn]] void malformed(const StructureDescription& structure, const std::string& what, LONG code = 0) {
  throw Failure(Kind::Malformed, std::string(structure.name) + ": " + what, code);
}

struct Codes {
  LONG too_small = 0;
  LONG bad_part = 0;
};

void check(const StructureDescription& structure, std::span<const std::uint8_t> bytes, std::uint32_t version,
           std::size_t size_at, const char* size_name, const Codes& codes = {}) {
  if (bytes.size() < size_at + sizeof(DWORD)) malformed(structure, std::string("ends before ") + size_name);
  const std::uint32_t size = load(bytes.data() + size_at);
  const auto claim = [&] { return std::string(size_name) + " is " + std::to_string(size); };
  if (size > bytes.size())
    malformed(structure, claim() + ", but only " + std::to_string(bytes.size()) + " bytes came");
  const std::uint32_t fixed = fixed_size(structure, version);
  if (size < fixed)
    malformed(structure, claim() + ", less than the fixed part of " + std::to_string(fixed), codes.too_small);
  Inspector(structure, bytes, version, size).run([&](const Bad& bad) {
    malformed(structure, name_of(bad) + " " + bad.reason, bad.count ? codes.too_small : codes.bad_part);
  });
}

/// An application that knows an older version than the line has passes a structure of that version.
std::uint32_t version_of_input(const StructureDescription& structure, std::span<const std::uint8_t> bytes,
                               std::uint32_t version) {
  if (bytes.size() < structure.total_at + sizeof(DWORD)) return version;
  const auto total = load(bytes.data() + structure.total_at);
  for (const std::uint32_t older : {0x00030000U, 0x00020002U, 0x00020001U, 0x00020000U}) {
    if (total >= fixed_size(structure, version)) break;
    if (older < version) version = older;
  }
  return version;
}

void require_totals(const StructureDescription& structure) {
  if (!structure.has_totals) throw Failure(Kind::Internal, std::string(structure.name) + " is never an output");
}

}  // namespace

void check_input(const StructureDescription& structure, std::span<const std::uint8_t> bytes, std::uint32_t version) {
  if (structure.total_at == kNoMember) throw Failure(Kind::Internal, std::string(structure.name) + " is an element");
  const bool line = structure.family == Family::Line;
  const Codes codes = {static_cast<LONG>(line ? LINEERR_STRUCTURETOOSMALL : PHONEERR_STRUCTURETOOSMALL),
                       static_cast<LONG>(line ? LINEERR_INVALPARAM : PHONEERR_INVALPARAM)};
  check(structure, bytes, version_of_input(structure, bytes, version), structure.total_at, "dwTotalSize", codes);
}

void check_output(const StructureDescription& structure, std::span<const std::uint8_t> bytes, std::uint32_t version) {
  require_totals(structure);
  check(structure, bytes, version, kUsedAt, "dwUsedSize");
}

Mended clamp_output(const StructureDescription& structure, std::span<std::uint8_t> bytes, std::uint32_t version) {
  require_totals(structure);
  Mended mended;
  const auto mend = [&mended](std::string name) {
    if (mended.fields.size() < kMaxNames) mended.fields.push_back(std::move(name));
  };
  const auto capacity = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), 0xFFFFFFFFU));
  if (capacity < fixed_size(structure, version)) {
    mend("buffer");
    return mended;
  }
  std::uint8_t* const begin = bytes.data();
  if (load(begin + kTotalAt) != capacity) mend("dwTotalSize");
  store(begin + kTotalAt, capacity);
  const std::uint64_t extent = Inspector(structure, bytes, version, capacity).run([&](const Bad& bad) {
    mend(name_of(bad) + (bad.count ? " (count)" : ""));
    if (!bad.count) {
      store(begin + bad.size_at, 0);
      store(begin + bad.offset_at, 0);
    }
    // No elements: who walks them by their count would read the fixed part as elements.
    if (!bad.inner && bad.pair->count_at != kNoMember) store(begin + bad.pair->count_at, bad.most);
  });
  const std::uint32_t used = load(begin + kUsedAt), needed = load(begin + kNeededAt);
  if (used < extent || used > capacity) mend("dwUsedSize");
  if (needed < extent) mend("dwNeededSize");
  store(begin + kUsedAt, extent);
  store(begin + kNeededAt, std::max<std::uint64_t>(needed, extent));
  mended.bytes = static_cast<std::uint32_t>(extent);
  return mended;
}

// ---- writing into TAPI's buffer ----

namespace {

class Writer {
 public:
  Writer(const StructureDescription& structure, std::span<const std::uint8_t> source, std::uint8_t* destination,
         std::uint32_t version, std::uint32_t source_version)
      : structure_(structure),
        source_(source),
        destination_(destination),
        version_(version),
        source_version_(source_version),
        total_(load(destination + kTotalAt)),
        fixed_(fixed_size(structure, version)),
        needed_(fixed_),
        used_(fixed_) {}

  void run() {
    write_fixed_part();
    for (const Pair& pair : structure_.pairs) {
      // What the source's own version did not have lies in its variable parts, whatever it may look like.
      if (pair.tapi_owned || pair.since > version_ || pair.since > source_version_) continue;
      if (source_.size() < pair.offset_at + sizeof(DWORD)) continue;
      const Part part = read(source_.data() + pair.size_at, source_.data() + pair.offset_at);
      if (pair.element) write_array(pair, part);
      else if (part.size != 0) write_part(part, destination_ + pair.size_at, destination_ + pair.offset_at, true);
    }
    count_what_is_missing();
    store(destination_ + kNeededAt, needed_);
    store(destination_ + kUsedAt, used_);
  }

 private:
  /// A source for which the host's own buffer was too small tells what the vendor needs; bounded, since it is the
  /// network that says so.
  void count_what_is_missing() {
    if (source_.size() < kTotalsSize) return;
    const std::uint32_t wanted = load(source_.data() + kNeededAt);
    if (wanted > load(source_.data() + kTotalAt)) {
      needed_ = std::max<std::uint64_t>(needed_, std::min<std::uint32_t>(wanted, kLaidOutLimit));
    }
  }

  struct Part {
    std::uint64_t size, offset;
  };

  // A part that is not wholly behind the source's fixed part and inside the source is none.
  Part read(const std::uint8_t* size_word, const std::uint8_t* offset_word) const {
    const Part part{load(size_word), load(offset_word)};
    const bool good =
        part.offset >= fixed_size(structure_, source_version_) && part.offset + part.size <= source_.size();
    return good ? part : Part{0, 0};
  }

  void write_fixed_part() {
    std::array<std::uint8_t, kLargestFixedPart> fixed{};
    const std::size_t have = std::min<std::size_t>({fixed_, fixed_size(structure_, source_version_), source_.size()});
    std::copy_n(source_.data(), have, fixed.data());
    const auto keep = [&](std::size_t from, std::size_t size) {
      if (from + size <= fixed_) std::copy_n(destination_ + from, size, fixed.data() + from);
    };
    keep(kTotalAt, sizeof(DWORD));
    for (const Field& field : structure_.tapi_owned) keep(field.at, field.size);
    for (const Pair& pair : structure_.pairs) {
      if (pair.since > version_) continue;
      if (pair.tapi_owned) {
        keep(pair.size_at, 2 * sizeof(DWORD));
      } else {
        store(fixed.data() + pair.size_at, 0);
        store(fixed.data() + pair.offset_at, 0);
      }
    }
    std::copy_n(fixed.data(), fixed_, destination_);
  }

  static std::uint64_t aligned(std::uint64_t position) { return (position + 3) & ~std::uint64_t{3}; }

  /// Room for one more part; 0 when it does not fit, or `write` is false and it is only counted.
  std::uint32_t reserve(std::uint64_t size, bool write) {
    const std::uint64_t needed = aligned(needed_) + size;
    if (needed - fixed_ > kLaidOutLimit) return 0;
    needed_ = needed;
    const std::uint64_t begin = aligned(used_);
    if (!write || begin + size > total_) return 0;
    std::fill(destination_ + used_, destination_ + begin, std::uint8_t{0});
    used_ = begin + size;
    return static_cast<std::uint32_t>(begin);
  }

  void write_part(const Part& part, std::uint8_t* size_word, std::uint8_t* offset_word, bool write) {
    const std::uint32_t begin = reserve(part.size, write);
    if (begin == 0) return;
    std::copy_n(source_.data() + part.offset, part.size, destination_ + begin);
    store(size_word, part.size);
    store(offset_word, begin);
  }

  // Elements may be longer or shorter in another version (LINEFORWARD), and have parts of their own behind them.
  void write_array(const Pair& pair, const Part& part) {
    const StructureDescription& element = *pair.element;
    const std::uint32_t from_step = Inspector::stride(pair, source_.data(), source_version_);
    const std::uint32_t to_step = fixed_size(element, version_);
    std::uint64_t count = part.size / from_step;
    if (pair.count_at != kNoMember) {
      // The count says at most what is there, the array has no more than the count, unless that was never set.
      const std::uint32_t said = load(destination_ + pair.count_at);
      if (said > count && load(source_.data() + pair.size_at) != 0) store(destination_ + pair.count_at, count);
      else if (said != 0) count = std::min<std::uint64_t>(count, said);
    }
    if (count == 0) return;
    const std::uint64_t size = count * to_step;
    const std::uint32_t begin = reserve(size, true);
    if (begin != 0) {
      store(destination_ + pair.size_at, size);
      store(destination_ + pair.offset_at, begin);
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint8_t* const from = source_.data() + part.offset + i * from_step;
      // Without room for the array its elements go to a scratch copy, so that their parts are still counted.
      std::array<std::uint8_t, kLargestFixedPart> scratch{};
      std::uint8_t* const to = begin != 0 ? destination_ + begin + i * to_step : scratch.data();
      std::fill_n(to, to_step, std::uint8_t{0});
      std::copy_n(from, std::min(from_step, to_step), to);
      for (const Pair& inner : element.pairs) {
        store(to + inner.size_at, 0);
        store(to + inner.offset_at, 0);
        const Part inner_part = read(from + inner.size_at, from + inner.offset_at);
        if (inner_part.size != 0) write_part(inner_part, to + inner.size_at, to + inner.offset_at, begin != 0);
      }
    }
  }

  const StructureDescription& structure_;
  std::span<const std::uint8_t> source_;
  std::uint8_t* destination_;
  std::uint32_t version_, source_version_;
  std::uint32_t total_, fixed_;
  std::uint64_t needed_, used_;
};

}  // namespace

LONG store_output(const StructureDescription& structure, std::span<const std::uint8_t> source, void* destination,
                  std::uint32_t version, std::uint32_t source_version) {
  require_totals(structure);
  auto* const bytes = static_cast<std::uint8_t*>(destination);
  if (load(bytes + kTotalAt) < std::max<std::uint32_t>(fixed_size(structure, version), kTotalsSize)) {
    return static_cast<LONG>(structure.family == Family::Line ? LINEERR_STRUCTURETOOSMALL
                                                              : PHONEERR_STRUCTURETOOSMALL);
  }
  Writer(structure, source, bytes, version, source_version == 0 ? version : source_version).run();
  return 0;
}

}  // namespace tsplink::wire
