#include "remote-host/audit.hpp"

#include <cstddef>
#include <cstdio>
#include <cstring>

#include "remote-host/texts.hpp"
#include "wire/calls.hpp"
#include "wire/codec.hpp"
#include "wire/errors.hpp"
#include "wire/structures.hpp"
#include "wire/system.hpp"

namespace tsplink::host {

namespace {

template <class C>
constexpr std::size_t address_position() {
  for (const auto* name : {"lpszDestAddress", "lpszDirAddress"}) {
    if (C::position(name) < C::size) return C::position(name);
  }
  return C::size;
}

/// Where the entries of a forward list send calls to. A desktop wrote it, and nothing has checked it yet.
std::string destinations(const wire::Bytes& list, std::uint32_t version) {
  constexpr auto begin = offsetof(LINEFORWARDLIST, ForwardList);
  std::uint32_t count = 0;
  if (list.size() < begin) return {};
  std::memcpy(&count, list.data() + offsetof(LINEFORWARDLIST, dwNumEntries), sizeof count);
  const std::size_t step = wire::fixed_size(wire::describe<LINEFORWARD>(), version);
  std::string all;
  for (std::size_t i = 0; i < count && begin + (i + 1) * step <= list.size(); ++i) {
    const auto to = text_in(list, begin + i * step + offsetof(LINEFORWARD, dwDestAddressSize));
    if (!to.empty()) all += (all.empty() ? "" : ", ") + to;
    if (all.size() > log::kMostText) break;  // a line has no more of it
  }
  return all;
}

template <class C>
std::string address_in([[maybe_unused]] std::span<const std::uint8_t> arguments,
                       [[maybe_unused]] std::uint32_t version) {
  if constexpr (constexpr auto list = C::position("lpForwardList"); list < C::size) {
    const auto inputs = wire::decode<typename C::Inputs>(arguments);
    if (const auto& entries = std::get<list>(inputs)) return destinations(*entries, version);
  }
  std::string address;
  if constexpr (constexpr auto at = address_position<C>(); at < C::size) {
    const auto inputs = wire::decode<typename C::Inputs>(arguments);
    if (const auto& text = std::get<at>(inputs)) address = wire::utf8_of(*text);
  }
  if constexpr (constexpr auto at = C::position("lpCallParams"); at < C::size) {
    const auto inputs = wire::decode<typename C::Inputs>(arguments);
    const auto& params = std::get<at>(inputs);
    const auto target = params ? text_in(*params, offsetof(LINECALLPARAMS, dwTargetAddressSize)) : "";
    if (!target.empty() && target != address) address += (address.empty() ? "" : ", ") + target;
  }
  return address;
}

using Reader = std::string (*)(std::span<const std::uint8_t>, std::uint32_t);
constexpr Reader kReaders[] = {
#define TSPI_CALL(function, ...) &address_in<wire::calls::function>,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};

std::string result_text(LONG result) {
  const std::string name = wire::error_name(result);
  if (name != "unknown error") return name;
  char number[16];
  std::snprintf(number, sizeof number, "0x%08x", static_cast<unsigned>(result));
  return number;
}

}  // namespace

std::string dialled_address(std::uint16_t function, std::span<const std::uint8_t> arguments, std::uint32_t version) {
  return function < wire::kFunctionCount ? kReaders[function](arguments, version) : std::string();
}

log::Fields fields_of(const ControlAction& action) {
  const auto* info = wire::function_info(action.function);
  std::string calls;
  for (const auto id : action.calls) calls += (calls.empty() ? "" : "+") + wire::trace_id(id);
  const bool known = !action.provider.empty();
  log::Fields all{
      {"function", info ? std::string(info->name) : std::to_string(action.function)},
      {"result", action.result ? result_text(*action.result) : "unknown"},
      {"note", action.result || !action.note.empty() ? action.note : "the desktop left before the answer"},
      {"certificate", action.certificate},
      {"machine", action.machine},
      {"address", action.address},
      {"session", std::to_string(action.session)},
      {"provider", action.provider},
      {action.phone ? "phone" : "line", action.device},
      {"permanent_id", known ? std::to_string(action.permanent_id) : ""},
      {"call", calls},
      {"to", action.to, true},
      {"trace", action.trace ? wire::trace_id(action.trace) : ""},
  };
  std::erase_if(all, [](const log::Field& each) { return each.value.empty(); });
  return all;
}

}  // namespace tsplink::host
