#include "coverage.hpp"

#include <algorithm>

#include "frame.hpp"

namespace tsplink::tapisim {
namespace {

bool is_pure_output(ParamKind kind) {
  return is_new_handle(kind) || kind == ParamKind::out_number || kind == ParamKind::out_text ||
         kind == ParamKind::out_bytes || kind == ParamKind::fixed_out || kind == ParamKind::icon ||
         kind == ParamKind::late_number || kind == ParamKind::digits;
}

/// Is there a value, or room for an output? That a structure has a size is none.
bool any(const Param& param, const Buffer& buffer) {
  if (is_pure_output(param.kind)) return true;
  const auto one = [](BYTE byte) { return byte != 0; };
  if (param.structure == nullptr) return std::any_of(buffer.data(), buffer.data() + buffer.size(), one);
  return says_anything(*param.structure, buffer.data(), buffer.size());
}

}  // namespace

void Coverage::ended(const Function& function, const Frame& frame, const std::string& how) {
  auto& params = reached_["function " + function.name + " " + how];
  for (std::size_t i = 0; i < function.params.size(); ++i) {
    const Buffer* buffer = frame.buffer[i];
    if (buffer == nullptr ? frame.arguments[i] != 0 : any(function.params[i], *buffer)) {
      params.insert(function.params[i].name);
    }
  }
}

void Coverage::came(const Event& event, const std::array<std::uintptr_t, 3>& params) {
  auto& reached = reached_["message " + std::string(event.name)];
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i] != 0) reached.insert(std::to_string(i + 1));
  }
}

std::string Coverage::text() const {
  std::string out;
  for (const auto& [what, params] : reached_) {
    out += what + ":";
    for (const auto& param : params) out += " " + param;
    out += "\n";
  }
  return out;
}

std::string failure_name(LONG result, bool by_completion) {
  switch (static_cast<std::uint32_t>(result)) {
    case LINEERR_INVALLINEHANDLE:
    case LINEERR_INVALCALLHANDLE:
    case LINEERR_INVALCONFCALLHANDLE:
    case LINEERR_INVALCONSULTCALLHANDLE:
    case PHONEERR_INVALPHONEHANDLE: return "bad-handle";
    case LINEERR_BADDEVICEID:
    case PHONEERR_BADDEVICEID: return "bad-device";
    case LINEERR_STRUCTURETOOSMALL:
    case PHONEERR_STRUCTURETOOSMALL: return "too-small";
    case LINEERR_OPERATIONUNAVAIL:
    case PHONEERR_OPERATIONUNAVAIL: return "unavailable";
    default: return by_completion ? "failed" : "refused";
  }
}

}  // namespace tsplink::tapisim
