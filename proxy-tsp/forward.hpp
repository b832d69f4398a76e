// How a TSPI function crosses: take its arguments by role, send them, and either return dwRequestID at once or wait
// for the answer and store it. Derived from the sheet; a function that is more than this has an Override
// (overrides.hpp). Called on TAPI's threads; no exception leaves enter().
#pragma once

#include <new>

#include "proxy-tsp/core.hpp"
#include "wire/codec.hpp"
#include "wire/log_text.hpp"

namespace tsplink::proxy {

/// Specialised, by function name, in overrides.hpp: static LONG run(Core&, the function's arguments).
template <class C>
struct Override;

/// Resolves TAPI's handles for one call of a function and remembers what the call is about.
class DesktopCall final : public wire::DesktopSide {
 public:
  explicit DesktopCall(Core& core) : core_(core) {}

  std::uint64_t line(HDRVLINE handle) override;
  std::uint64_t phone(HDRVPHONE handle) override;
  std::uint64_t call(HDRVCALL handle) override;
  std::uint64_t msp_line(HDRVMSPLINE handle) override;
  std::uint64_t dialog(HDRVDIALOGINSTANCE handle) override;
  std::uint64_t dialog_object(DWORD type, DWORD_PTR object) override;
  std::uint64_t line_device(DWORD device) override;
  std::uint64_t phone_device(DWORD device) override;
  std::uint64_t new_call(HTAPICALL htCall, LPHDRVCALL slot) override;
  void call_named(std::uint64_t minted, std::uint64_t id) override;
  std::uint64_t new_msp_line(HTAPIMSPLINE token, LPHDRVMSPLINE slot) override;
  void msp_line_named(std::uint64_t minted, std::uint64_t id) override;
  DWORD device_with(bool phone, std::uint32_t permanent) override { return core_.device_with(phone, permanent); }
  std::uint32_t version() const override { return version_; }
  LONG store(const wire::StructureDescription& description, std::span<const std::uint8_t> source, void* destination,
             std::uint32_t version, std::uint32_t source_version) override;

  /// Forgets what was minted: the function fails synchronously, and TAPI will not close it.
  void unmint();
  void note_in(AsyncRequest& request) const;

 private:
  Core& core_;
  std::uint32_t version_ = TAPI_CURRENT_VERSION;
  std::shared_ptr<Device> device_;
  std::vector<std::shared_ptr<Line>> lines_;
  std::vector<std::shared_ptr<Phone>> phones_;
  std::vector<std::shared_ptr<Call>> calls_;
  std::vector<std::shared_ptr<Call>> minted_calls_;
  std::vector<std::shared_ptr<MspInstance>> minted_msps_;
};

template <class C>
typename C::Inputs take_inputs(wire::DesktopSide& side, const typename C::Arguments& arguments) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return typename C::Inputs{C::template Role<I>::template take<C, I>(side, arguments)...};
  }
  (std::make_index_sequence<C::size>{});
}

/// Stores every output; the first error wins, a NULL output is left out.
template <class C>
LONG store_outputs(wire::DesktopSide& side, const typename C::Outputs& out, const typename C::Inputs& in,
                   const typename C::Arguments& arguments) {
  LONG result = 0;
  wire::for_each_parameter<C>([&](auto at) {
    constexpr std::size_t I = decltype(at)::value;
    using Role = typename C::template Role<I>;
    if constexpr (wire::kCrosses<typename Role::Out>) {
      const LONG stored = Role::template store<C, I>(side, std::get<I>(out), std::get<I>(in), arguments);
      if (result == 0) result = stored;
    }
  });
  return result;
}

template <class C>
constexpr wire::Family family_of() {
  return C::name.substr(0, 5) == "phone" ? wire::Family::Phone : wire::Family::Line;
}

template <class C>
class PendingCall final : public AsyncRequest {
 public:
  PendingCall(DesktopCall side, const typename C::Inputs& in, const typename C::Arguments& arguments)
      : side_(std::move(side)), in_(in), arguments_(arguments) {
    dwRequestID = std::get<0>(arguments);
    side_.note_in(*this);
  }

  LONG finish(LONG result, std::span<const std::uint8_t> outputs) override {
    try {
      if (result > 0) result = LINEERR_OPERATIONFAILED;
      if (outputs.empty()) return wire::to_family(result, family_of<C>());
      const auto out = wire::decode<typename C::Outputs>(outputs);
      const LONG stored = store_outputs<C>(side_, out, in_, arguments_);
      return wire::to_family(result != 0 ? result : stored, family_of<C>());
    } catch (const Failure& failure) {
      return wire::to_error(failure, family_of<C>());
    } catch (const std::bad_alloc&) {
      return wire::to_error(Kind::TooLarge, family_of<C>());
    }
  }
  DesktopCall& side() { return side_; }

 private:
  DesktopCall side_;
  typename C::Inputs in_;
  typename C::Arguments arguments_;
};

template <class C>
LONG forward_async(Core& core, wire::Function function, const typename C::Arguments& arguments) {
  DesktopCall side(core);
  try {
    const auto in = take_inputs<C>(side, arguments);
    core.post(function, wire::encode(in), std::make_unique<PendingCall<C>>(side, in, arguments));
    return static_cast<LONG>(std::get<0>(arguments));
  } catch (...) {
    side.unmint();
    throw;
  }
}

/// A host's answer as far as it can be read; a malformed one says nothing.
template <class C>
typename C::Outputs readable_outputs(const Answer& answer) {
  try {
    if (answer.result == 0 && !answer.outputs.empty()) return wire::decode<typename C::Outputs>(answer.outputs);
  } catch (const Failure&) {  // a request that was accepted stays accepted: its completion reports the fault
  }
  return {};
}

/// Whether a parameter is what the function makes, and somebody must close.
template <class Role>
constexpr bool kMakesSomething = wire::kMakesCall<Role> || std::is_same_v<Role, wire::NewMspLine>;

/// What a function made whose caller has gone.
template <class C>
void close_what_it_made(Core& core, const Answer& answer) {
  const auto out = readable_outputs<C>(answer);
  wire::for_each_parameter<C>([&](auto at) {
    using Role = typename C::template Role<at.value>;
    if constexpr (kMakesSomething<Role>) {
      using Close =
          std::conditional_t<wire::kMakesCall<Role>, wire::calls::lineCloseCall, wire::calls::lineCloseMSPInstance>;
      constexpr auto close =
          wire::kMakesCall<Role> ? wire::Function::lineCloseCall : wire::Function::lineCloseMSPInstance;
      const std::uint64_t id = std::get<at.value>(out);
      if (id) core.tell(close, wire::encode(typename Close::Inputs{id}));
    }
  });
}

/// An asynchronous function that returns only when the host has told whether it makes a call: TAPI reads that from
/// the handle at the return.
template <class C>
LONG forward_heard(Core& core, wire::Function function, const typename C::Arguments& arguments) {
  DesktopCall side(core);
  try {
    const auto in = take_inputs<C>(side, arguments);
    const auto answer =
        core.post_and_hear(function, wire::encode(in), std::make_unique<PendingCall<C>>(side, in, arguments),
                           [&core](const Answer& late) { close_what_it_made<C>(core, late); });
    const auto out = readable_outputs<C>(answer);
    wire::for_each_parameter<C>([&](auto at) {
      if constexpr (C::template Role<at.value>::told_at_return) {
        auto* slot = std::get<at.value>(arguments);
        if (slot && !std::get<at.value>(out)) *slot = {};
      }
    });
    return static_cast<LONG>(std::get<0>(arguments));
  } catch (...) {
    side.unmint();
    throw;
  }
}

template <class C>
LONG forward_sync(Core& core, wire::Function function, const typename C::Arguments& arguments) {
  DesktopCall side(core);
  try {
    const auto in = take_inputs<C>(side, arguments);
    Ledger::Undo undo;
    wire::for_each_parameter<C>([&](auto at) {
      using Role = typename C::template Role<at.value>;
      if constexpr (kMakesSomething<Role>) {
        undo = [&core](const Answer& late) { close_what_it_made<C>(core, late); };
      }
    });
    const auto answer = core.ask(function, wire::encode(in), std::move(undo));
    LONG result = answer.result;
    if (result == 0 && !answer.outputs.empty()) {
      try {
        result = store_outputs<C>(side, wire::decode<typename C::Outputs>(answer.outputs), in, arguments);
      } catch (const Failure& failure) {
        throw Failure(failure.kind(), failure.what() + wire::trace_field(answer.trace), failure.code());
      }
    }
    if (result != 0) side.unmint();
    return wire::to_family(result, family_of<C>());
  } catch (...) {
    side.unmint();
    throw;
  }
}

/// A plain forward.
template <class C, class... Given>
LONG forward(Core& core, wire::Function function, Given... arguments) {
  const typename C::Arguments tuple{arguments...};
  if constexpr (C::told_at_return) {
    return forward_heard<C>(core, function, tuple);
  } else if constexpr (C::asynchronous) {
    return forward_async<C>(core, function, tuple);
  } else {
    return forward_sync<C>(core, function, tuple);
  }
}

/// Where an exported function goes: to its override, else to the host. The border: exceptions become TSPI errors.
template <class C, class... Given>
LONG enter(Core* core, wire::Function function, Given... arguments) noexcept {
  constexpr auto family = family_of<C>();
  if (!core) return family == wire::Family::Phone ? PHONEERR_UNINITIALIZED : LINEERR_UNINITIALIZED;
  try {
    if constexpr (requires { sizeof(Override<C>); }) {
      return Override<C>::run(*core, arguments...);
    } else {
      static_assert(C::right != wire::Right::Local, "a function that does not cross needs an override");
      return forward<C>(*core, function, arguments...);
    }
  } catch (const Failure& failure) {
    core->log(LogLevel::Info, std::string(C::name) + ": " + failure.what());
    return wire::to_error(failure, family);
  } catch (const std::bad_alloc&) {
    return family == wire::Family::Phone ? PHONEERR_NOMEM : LINEERR_NOMEM;
  } catch (const std::exception& error) {
    core->log(LogLevel::Error, std::string(C::name) + ": " + error.what());
    return family == wire::Family::Phone ? PHONEERR_OPERATIONFAILED : LINEERR_OPERATIONFAILED;
  }
}

}  // namespace tsplink::proxy
