// The frame around every exported function: finds the PBX, takes its lock, logs the call with its parameters and its
// result, and turns a Refusal into the result. Only entry.cpp keeps state: the module's one root pointer.
// Threads: any, TAPISRV's.
#pragma once

#include <initializer_list>
#include <string_view>
#include <type_traits>

#include "tests/simpbx/pbx.hpp"

#define SIMPBX_EXPORT extern "C" DECLSPEC_EXPORT LONG WINAPI
/// A parameter with its TSPI name, for the log.
#define ARG(parameter) ::tsplink::simpbx::Argument(#parameter, parameter)
/// A block of `size` bytes, shown by its content.
#define BLOCK_ARG(parameter, size) ::tsplink::simpbx::Argument(#parameter, parameter, size)
#define STRUCTURE_ARG(parameter) BLOCK_ARG(parameter, (parameter) ? (parameter)->dwTotalSize : 0)
#define ARRAY_ARG(parameter, count) \
  BLOCK_ARG(parameter, static_cast<DWORD>(std::min<std::size_t>(count, 4096) * sizeof *(parameter)))

#ifdef _WIN32
#undef DECLSPEC_EXPORT
#define DECLSPEC_EXPORT __declspec(dllexport)
#endif

namespace tsplink::simpbx {

/// Keeps pointers and numbers only: text is made when a log is written.
class Argument {
 public:
  template <class T>
  Argument(const char* name, T value) : name_(name) {
    if constexpr (std::is_pointer_v<T>) {
      value_ = reinterpret_cast<std::uintptr_t>(value);
      kind_ = std::is_same_v<T, LPCWSTR> ? Kind::text : Kind::pointer;
    } else {
      value_ = static_cast<std::uint64_t>(value);
    }
  }
  Argument(const char* name, const void* bytes, DWORD size)
      : name_(name), kind_(Kind::bytes), value_(reinterpret_cast<std::uintptr_t>(bytes)), size_(size) {}

  std::string text() const;
  std::string_view name() const { return name_; }
  std::uint64_t value() const { return value_; }

 private:
  enum class Kind { number, pointer, text, bytes };
  const char* name_;
  Kind kind_ = Kind::number;
  std::uint64_t value_ = 0;
  DWORD size_ = 0;
};

using Arguments = std::initializer_list<Argument>;

enum class Answer { sync, async };

/// Not a template, so that 111 functions do not instantiate the frame 111 times.
LONG enter(const char* name, Answer answer, DRV_REQUESTID request, Arguments arguments,
           const std::function<LONG(Pbx&)>& body);

/// A synchronous function: the body may return nothing (0) or a LONG.
template <class Body>
LONG sync_entry(const char* name, Arguments arguments, Body body) {
  return enter(name, Answer::sync, 0, arguments, [&body](Pbx& pbx) -> LONG {
    if constexpr (std::is_void_v<decltype(body(pbx))>) {
      body(pbx);
      return 0;
    } else {
      return body(pbx);
    }
  });
}

/// An asynchronous function: the body checks and submits; the result is dwRequestID.
template <class Body>
LONG async_entry(const char* name, DRV_REQUESTID dwRequestID, Arguments arguments, Body body) {
  return enter(name, Answer::async, dwRequestID, arguments, [&](Pbx& pbx) -> LONG {
    body(pbx);
    return static_cast<LONG>(dwRequestID);
  });
}

/// Refuses a null pointer.
inline void need_pointer(const void* pointer, DWORD refusal = LINEERR_INVALPOINTER) {
  if (!pointer) refuse(refusal);
}

/// An icon's handle, of this machine and process only.
HICON some_icon();

/// A copy of an input block.
Bytes copy_bytes(const void* bytes, DWORD size);

/// Carries out `effect` for a call when its turn comes; the call must be in one of `states` now and then.
template <class Effect>
void submit_for(Pbx& pbx, DRV_REQUESTID request, const CallPtr& call, DWORD states, Effect effect) {
  Pbx::need_state(*call, states);
  pbx.courier.submit({request, {call->line, call, nullptr, nullptr}, [call, states, effect]() -> LONG {
                        Pbx::need_state(*call, states);
                        effect();
                        return 0;
                      }});
}

template <class Effect>
void submit_for(Pbx& pbx, DRV_REQUESTID request, const LinePtr& line, Effect effect) {
  pbx.courier.submit({request, {line, nullptr, nullptr, nullptr}, [effect]() -> LONG {
                        effect();
                        return 0;
                      }});
}

/// Ends the root object: the next entry makes a new one. For providerShutdown.
void leave_pbx();
bool was_shut_down();

}  // namespace tsplink::simpbx
