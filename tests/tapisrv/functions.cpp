#include "functions.hpp"

#include <map>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "text.hpp"

namespace tsplink::tapisim {
namespace {

template <class T>
T argument(std::uintptr_t value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class... A, std::size_t... I>
LONG invoke_with(void* entry, const std::uintptr_t* arguments, std::index_sequence<I...>) {
  using Entry = LONG(WINAPI*)(A...);
  return reinterpret_cast<Entry>(entry)(argument<A>(arguments[I])...);
}

template <class... A>
Function typed(LONG(WINAPI*)(A...)) {
  Function out;
  out.invoke = [](void* entry, const std::uintptr_t* arguments) {
    return invoke_with<A...>(entry, arguments, std::index_sequence_for<A...>());
  };
  out.arity = sizeof...(A);
  out.pointers = {std::is_pointer_v<A>...};
  return out;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

ParamKind kind_by_mark(std::string_view mark) {
  static const std::map<std::string_view, ParamKind> kMarks = {
      {"bytes", ParamKind::bytes},        {"block", ParamKind::block},        {"lateblock", ParamKind::late_block},
      {"in", ParamKind::struct_in},       {"array", ParamKind::struct_array}, {"out", ParamKind::struct_out},
      {"late", ParamKind::struct_late},   {"fixed", ParamKind::fixed_out},    {"latedword", ParamKind::late_number},
      {"outbytes", ParamKind::out_bytes}, {"digits", ParamKind::digits},      {"outtext", ParamKind::out_text}};
  const auto found = kMarks.find(mark);
  if (found == kMarks.end()) throw std::logic_error("functions.def has an unknown mark " + std::string(mark));
  return found->second;
}

// TAPI's names say what a parameter is.
ParamKind kind_by_name(std::string_view function, std::string_view name) {
  static const std::map<std::string_view, ParamKind> kNames = {{"dwRequestID", ParamKind::request},
                                                               {"hdLine", ParamKind::line},
                                                               {"hdPhone", ParamKind::phone},
                                                               {"hdMSPLine", ParamKind::msp},
                                                               {"hdDlgInst", ParamKind::dialog},
                                                               {"dwObjectID", ParamKind::dialog_object},
                                                               {"htLine", ParamKind::tapi_line},
                                                               {"htPhone", ParamKind::tapi_phone},
                                                               {"htMSPLine", ParamKind::tapi_msp},
                                                               {"lphdLine", ParamKind::new_line},
                                                               {"lphdPhone", ParamKind::new_phone},
                                                               {"lphdMSPLine", ParamKind::new_msp},
                                                               {"hProvider", ParamKind::provider},
                                                               {"lpfnLineCreateProc", ParamKind::line_proc},
                                                               {"lpfnPhoneCreateProc", ParamKind::phone_proc},
                                                               {"lpfnCompletionProc", ParamKind::completion_proc},
                                                               {"hwndOwner", ParamKind::window},
                                                               {"hTargetProcess", ParamKind::process},
                                                               {"lphIcon", ParamKind::icon},
                                                               {"pCLSID", ParamKind::fixed_out}};
  const auto found = kNames.find(name);
  if (found != kNames.end()) return found->second;
  const bool phone = starts_with(function, "phone") || function == "providerCreatePhoneDevice";
  if (name == "dwDeviceID") return phone ? ParamKind::phone_device : ParamKind::line_device;
  if (name == "lpfnEventProc") return phone ? ParamKind::phone_proc : ParamKind::line_proc;
  if (starts_with(name, "lphd") && ends_with(name, "Call")) return ParamKind::new_call;
  if (starts_with(name, "hd") && ends_with(name, "Call")) return ParamKind::call;
  if (starts_with(name, "ht") && ends_with(name, "Call")) return ParamKind::tapi_call;
  if (starts_with(name, "lpsz")) return ParamKind::text;
  if (starts_with(name, "lpdw")) return ParamKind::out_number;
  return ParamKind::number;
}

Function describe(Function out, std::string_view name, bool async, Need need, std::string_view list) {
  out.name = name;
  out.async = async;
  out.need = need;
  std::vector<std::string> counts;
  for (const auto& word : words(list)) {
    const std::size_t colon = word.find(':');
    Param param;
    param.name = word.substr(0, colon);
    std::string count;
    if (colon == std::string::npos) {
      param.kind = kind_by_name(name, param.name);
    } else {
      const auto marks = split(word.substr(colon + 1), '/');
      param.kind = kind_by_mark(marks[0]);
      for (std::size_t i = 1; i < marks.size(); ++i) {
        if (const Structure* structure = find_structure(marks[i])) {
          param.structure = structure;
        } else {
          count = marks[i];
        }
      }
    }
    counts.push_back(count);
    out.params.push_back(param);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!counts[i].empty()) out.params[i].count = out.find(counts[i]);
  }
  if (out.params.size() != out.arity) throw std::logic_error("functions.def and tspi.h differ on " + out.name);
  return out;
}

}  // namespace

int Function::find(std::string_view parameter) const {
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i].name == parameter) return static_cast<int>(i);
  }
  return -1;
}

const std::vector<Function>& functions() {
  [[maybe_unused]] constexpr bool sync = false;
  constexpr bool async = true;
#define TSPI(name, how, need, list) describe(typed(decltype (&TSPI_##name)(nullptr)), #name, how, Need::need, list),
  static const std::vector<Function> kAll = {
#include "functions.def"
  };
#undef TSPI
  return kAll;
}

const Function* find_function(std::string_view name) {
  if (starts_with(name, "TSPI_")) name = name.substr(5);
  for (const auto& function : functions()) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

bool is_handle_in(ParamKind kind) {
  return kind == ParamKind::line || kind == ParamKind::call || kind == ParamKind::phone || kind == ParamKind::msp ||
         kind == ParamKind::dialog;
}

bool is_new_handle(ParamKind kind) {
  return kind == ParamKind::new_line || kind == ParamKind::new_call || kind == ParamKind::new_phone ||
         kind == ParamKind::new_msp;
}

}  // namespace tsplink::tapisim
