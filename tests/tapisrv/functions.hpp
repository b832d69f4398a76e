// Every TSPI function, described once (functions.def): parameters with their kinds and a typed way to call it. The
// caller, the trace and the comparison all read this table; nobody writes a call by hand.
// Owner: a constant table. Any thread may call.
#pragma once

#include <tspi.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "structures.hpp"

namespace tsplink::tapisim {

enum class ParamKind {
  request,
  line_device,
  phone_device,
  line,
  call,
  phone,
  msp,
  dialog,         // handles of the provider
  dialog_object,  // a device's id, the provider's, or a dialog's handle
  tapi_line,
  tapi_call,
  tapi_phone,
  tapi_msp,  // handles of TAPI
  new_line,
  new_call,
  new_phone,
  new_msp,  // where the provider writes its handle
  number,
  text,
  bytes,
  struct_in,
  struct_array,  // inputs
  block,
  out_number,
  out_text,
  out_bytes,
  struct_out,
  fixed_out,
  icon,  // outputs of the call itself
  late_block,
  late_number,
  digits,
  struct_late,  // outputs before the completion (digits: before LINE_GATHERDIGITS)
  provider,
  line_proc,
  phone_proc,
  completion_proc,
  window,
  process
};

struct Param {
  std::string name;
  ParamKind kind = ParamKind::number;
  const Structure* structure = nullptr;  // struct_*, fixed_out
  int count = -1;                        // index of the parameter with the size or the number of entries
};

/// How much a provider needs the function: the Basic Telephony list, or what else makes it necessary.
enum class Need { basic, calls, phones, msp, optional, obsolete };

struct Function {
  std::string name;  // without TSPI_
  bool async = false;
  Need need = Need::optional;
  std::vector<Param> params;
  LONG (*invoke)(void* entry, const std::uintptr_t* arguments) = nullptr;
  std::size_t arity = 0;
  std::vector<bool> pointers;  // which parameters tspi.h declares as pointers (handles too)

  int find(std::string_view parameter) const;  // index or -1
};

const std::vector<Function>& functions();
const Function* find_function(std::string_view name);  // with or without TSPI_
bool is_handle_in(ParamKind kind);
bool is_new_handle(ParamKind kind);

}  // namespace tsplink::tapisim
