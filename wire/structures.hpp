#pragma once
#include <tspi.h>
#include <cstdint>
#include <span>
namespace tsplink::wire {
struct StructureDescription;
struct Mended { std::uint32_t bytes = 0; };
template <class T> const StructureDescription& describe();
std::uint32_t fixed_size(const StructureDescription&, std::uint32_t version);
void check_input(const StructureDescription&, std::span<const std::uint8_t> bytes, std::uint32_t version);
Mended clamp_output(const StructureDescription&, std::span<std::uint8_t> bytes, std::uint32_t version);
LONG store_output(const StructureDescription&, std::span<const std::uint8_t> source, void* destination, std::uint32_t version);
}
