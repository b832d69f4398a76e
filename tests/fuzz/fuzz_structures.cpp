// What a vendor wrote into a structure: mended, checked, sent, and laid out for an application of any version.
#include <cstdlib>
#include <memory>

#include "input.hpp"
#include "wire/failure.hpp"
#include "wire/structures.hpp"

using namespace tsplink;

namespace {

constexpr std::uint32_t kVersions[] = {0x00020000, 0x00020001, 0x00020002, 0x00030000, 0x00030001};

bool accepted(void (&check)(const wire::StructureDescription&, std::span<const std::uint8_t>, std::uint32_t),
              const wire::StructureDescription& structure, std::span<const std::uint8_t> bytes,
              std::uint32_t version) {
  try {
    check(structure, bytes, version);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto all = wire::all_structures();
  const auto& structure = *all[input.below(all.size())];
  if (!structure.has_totals) return 0;
  const auto vendor_version = kVersions[input.below(std::size(kVersions))];
  const auto version = kVersions[input.below(std::size(kVersions))];
  const auto room = static_cast<std::uint32_t>(input.below(1200));
  const auto written = input.rest();

  // A heap block of exactly the size: one byte too far is seen.
  const std::unique_ptr<std::uint8_t[]> source(new std::uint8_t[written.size()]);
  std::copy(written.begin(), written.end(), source.get());
  const std::span<std::uint8_t> bytes(source.get(), written.size());
  accepted(wire::check_input, structure, bytes, vendor_version);
  accepted(wire::check_output, structure, bytes, vendor_version);
  if (room < sizeof room) return 0;

  const std::unique_ptr<std::uint8_t[]> target(new std::uint8_t[room]());
  std::memcpy(target.get(), &room, sizeof room);
  wire::store_output(structure, bytes, target.get(), version, vendor_version);  // unchecked, as after a hostile host
  const auto mended = wire::clamp_output(structure, bytes, vendor_version);
  if (mended.bytes == 0) return 0;
  if (!accepted(wire::check_output, structure, bytes.first(mended.bytes), vendor_version)) __builtin_trap();
  std::fill_n(target.get(), room, std::uint8_t{0});
  std::memcpy(target.get(), &room, sizeof room);
  if (wire::store_output(structure, bytes.first(mended.bytes), target.get(), version, vendor_version) != 0) return 0;
  if (!accepted(wire::check_output, structure, {target.get(), room}, version)) __builtin_trap();
  return 0;
}
