// Both sides of a call without a network: a desktop and a worker whose handles follow from each other, C arguments in
// heap blocks of exact size, and a vendor that reads every counted byte. One thread.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "samples.hpp"

namespace tsplink::wire::testing {

inline constexpr std::uint32_t kVersion = 0x00030001;

/// Which kind of role it is, where a test must know.
template <template <class> class Base, class T>
T* structure_in(Base<T>*);
template <class R, template <class> class Base>
concept Is = requires(R* role) {
  structure_in<Base>(role);
};
template <class R>
concept Counted = requires {
  R::counted_by;
};
template <class R>
concept VariableOut = Is<R, VarOut>;
template <class R>
concept BytesOutput = std::is_same_v<typename R::Out, Block> && !Counted<R> && !Is<R, VarOut> && !Is<R, FixedOut>;
template <class R>
concept NewObject = requires(typename R::Held held, VendorSide& side) {
  held.bind(side, {});
}
|| std::is_same_v<R, NewLine> || std::is_same_v<R, NewPhone> || kMakesCall<R> || std::is_same_v<R, NewMspLine>;

/// A desktop's handle h of kind k has the id (k << 48) + h, and the vendor's handle for it is h + kShift.
inline constexpr std::uintptr_t kShift = 0x100000;
enum class HandleKind : std::uint64_t { Line = 1, Phone, Call, MspLine, LineDevice, PhoneDevice, Dialog, Object };

template <class Handle>
std::uint64_t id_for(HandleKind kind, Handle handle) {
  std::uintptr_t value = 0;
  std::memcpy(&value, &handle, sizeof handle);
  return (static_cast<std::uint64_t>(kind) << 48) + value;
}
template <class Handle>
Handle handle_from(std::uintptr_t value) {
  Handle handle{};
  std::memcpy(&handle, &value, sizeof handle);
  return handle;
}

class FakeDesktop : public DesktopSide {
 public:
  std::uint64_t line(HDRVLINE handle) override { return id_for(HandleKind::Line, handle); }
  std::uint64_t phone(HDRVPHONE handle) override { return id_for(HandleKind::Phone, handle); }
  std::uint64_t call(HDRVCALL handle) override { return id_for(HandleKind::Call, handle); }
  std::uint64_t msp_line(HDRVMSPLINE handle) override { return id_for(HandleKind::MspLine, handle); }
  std::uint64_t dialog(HDRVDIALOGINSTANCE handle) override { return id_for(HandleKind::Dialog, handle); }
  std::uint64_t dialog_object(DWORD, DWORD_PTR object) override { return id_for(HandleKind::Object, object); }
  std::uint64_t line_device(DWORD device) override { return id_for(HandleKind::LineDevice, device); }
  std::uint64_t phone_device(DWORD device) override { return id_for(HandleKind::PhoneDevice, device); }
  std::uint64_t new_call(HTAPICALL, LPHDRVCALL slot) override {
    *slot = handle_from<HDRVCALL>(static_cast<std::uintptr_t>(0x7000 + ++minted));
    return minted;
  }
  void call_named(std::uint64_t number, std::uint64_t id) override { named[number] = id; }
  std::uint64_t new_msp_line(HTAPIMSPLINE, LPHDRVMSPLINE slot) override {
    if (slot) *slot = handle_from<HDRVMSPLINE>(static_cast<std::uintptr_t>(0x7000 + minted + 1));
    return ++minted;
  }
  void msp_line_named(std::uint64_t number, std::uint64_t id) override { named[number] = id; }
  DWORD device_with(bool, std::uint32_t permanent) override { return permanent; }
  std::uint32_t version() const override { return kVersion; }
  LONG store(const StructureDescription& structure, std::span<const std::uint8_t> source, void* destination,
             std::uint32_t version, std::uint32_t source_version) override {
    return store_output(structure, source, destination, version, source_version);
  }

  std::uint64_t minted = 0;
  std::map<std::uint64_t, std::uint64_t> named;  // minted number -> the host's id
};

/// Fixed tokens, and the id of a new object is the vendor's handle and what its token says.
class FakeWorker : public VendorSide {
 public:
  HDRVLINE line(std::uint64_t id) override { return handle<HDRVLINE>(HandleKind::Line, id); }
  HDRVPHONE phone(std::uint64_t id) override { return handle<HDRVPHONE>(HandleKind::Phone, id); }
  HDRVCALL call(std::uint64_t id) override { return handle<HDRVCALL>(HandleKind::Call, id); }
  HDRVMSPLINE msp_line(std::uint64_t id) override { return handle<HDRVMSPLINE>(HandleKind::MspLine, id); }
  HDRVDIALOGINSTANCE dialog(std::uint64_t id) override { return handle<HDRVDIALOGINSTANCE>(HandleKind::Dialog, id); }
  DWORD_PTR dialog_object(DWORD, std::uint64_t id) override { return handle<DWORD_PTR>(HandleKind::Object, id); }
  DWORD line_device(std::uint64_t id) override { return handle<DWORD>(HandleKind::LineDevice, id); }
  DWORD phone_device(std::uint64_t id) override { return handle<DWORD>(HandleKind::PhoneDevice, id); }
  HTAPICALL call_token() override { return handle_from<HTAPICALL>(++tokens); }
  HTAPILINE line_token() override { return handle_from<HTAPILINE>(++tokens); }
  HTAPIPHONE phone_token() override { return handle_from<HTAPIPHONE>(++tokens); }
  HTAPIMSPLINE msp_token() override { return handle_from<HTAPIMSPLINE>(++tokens); }
  std::uint64_t bind_call(HTAPICALL token, HDRVCALL object) override { return bound(token, object); }
  void bind_line(HTAPILINE token, HDRVLINE object) override { bound(token, object); }
  void bind_phone(HTAPIPHONE token, HDRVPHONE object) override { bound(token, object); }
  std::uint64_t bind_msp_line(HTAPIMSPLINE token, HDRVMSPLINE object) override { return bound(token, object); }
  std::uint32_t permanent_of(bool, DWORD device) override { return device; }
  std::uint32_t permanent_of_line(std::size_t index, std::size_t) override {
    return static_cast<std::uint32_t>(index);
  }
  std::uint32_t call_id(std::uint32_t vendors) override { return vendors; }
  DRV_REQUESTID request_id() override { return 4711; }
  LINEEVENT line_event() override { return &on_line_event; }
  PHONEEVENT phone_event() override { return &on_phone_event; }
  std::uint32_t version() const override { return kVersion; }

  std::uintptr_t tokens = 0x500;
  std::uint64_t last_bound = 0;

 private:
  static void CALLBACK on_line_event(HTAPILINE, HTAPICALL, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR) {}
  static void CALLBACK on_phone_event(HTAPIPHONE, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR) {}
  template <class Handle>
  Handle handle(HandleKind kind, std::uint64_t id) {
    if (id >> 48 != static_cast<std::uint64_t>(kind)) throw Failure(Kind::NoSuchObject, "an id of another kind");
    return handle_from<Handle>(static_cast<std::uintptr_t>(id & 0xFFFFFFFFFFFFU) + kShift);
  }
  template <class Token, class Handle>
  std::uint64_t bound(Token token, Handle object) {
    return last_bound = id_for(HandleKind{0}, token) * 0x1000000 + id_for(HandleKind{0}, object);
  }
};

/// What the worker does before a call.
template <class C>
typename C::Held hold(VendorSide& side, const typename C::Inputs& inputs) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return typename C::Held{C::template Role<I>::Held::template made<C, I>(side, inputs)...};
  }
  (std::make_index_sequence<C::size>{});
}
template <class C>
typename C::Arguments pass(typename C::Held& held) {
  return std::apply([](auto&... each) { return typename C::Arguments{each.pass()...}; }, held);
}

/// How many bytes a vendor may write at its argument I; 0 where it is no output of several bytes.
template <class C, std::size_t I>
std::size_t room([[maybe_unused]] const typename C::Arguments& arguments, const typename C::Inputs& inputs) {
  using Role = typename C::template Role<I>;
  std::uint32_t size = 0;
  if constexpr (Is<Role, FixedOut>) size = sizeof(std::remove_pointer_t<typename Role::c_type>);
  if constexpr (VariableOut<Role>) {  // as much as the structure itself says
    if (std::get<I>(arguments)) std::memcpy(&size, std::get<I>(arguments), sizeof size);
  }
  if constexpr (BytesOutput<Role>) size = std::get<C::position("dwSize")>(inputs);
  return size;
}

/// The vendor: reads every byte that its count promises and finds what was sent.
template <class C>
void read_counted(const typename C::Arguments& arguments, const typename C::Inputs& inputs) {
  for_each_parameter<C>([&](auto index) {
    constexpr std::size_t I = decltype(index)::value;
    using Role = typename C::template Role<I>;
    if constexpr (Counted<Role>) {
      const auto* from = reinterpret_cast<const std::uint8_t*>(std::get<I>(arguments));
      const std::size_t count = std::get<C::position(Role::counted_by.view())>(arguments);
      const Block& sent = std::get<I>(inputs);
      EXPECT_EQ(from != nullptr, sent.has_value()) << C::parameters[I];
      EXPECT_EQ(count * Role::unit, sent ? sent->size() : 0) << C::parameters[I];
      Bytes got;
      if (from) got.assign(from, from + count * Role::unit);
      EXPECT_EQ(got, sent.value_or(Bytes())) << C::parameters[I];
    }
  });
}

/// A structure that a caller may pass: of the size of today, with nothing variable in it.
template <class T>
Bytes plain_structure() {
  Bytes bytes(fixed_size(describe<T>(), kVersion));
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data() + describe<T>().total_at, &size, sizeof size);
  if (describe<T>().has_totals) {
    std::memcpy(bytes.data() + 4, &size, sizeof size);
    std::memcpy(bytes.data() + 8, &size, sizeof size);
  }
  return bytes;
}

/// Inputs that an honest desktop may send.
template <class C>
typename C::Inputs honest_inputs(Samples& samples) {
  auto inputs = samples.values<typename C::Inputs>();
  for_each_parameter<C>([&](auto index) {
    constexpr std::size_t I = decltype(index)::value;
    using Role = typename C::template Role<I>;
    auto& value = std::get<I>(inputs);
    if constexpr (Counted<Role>) {
      if (value) value = samples.bytes(samples.below(8) * Role::unit);
    } else if constexpr (Is<Role, FixedIn>) {
      if (value) value = samples.bytes(sizeof(std::remove_pointer_t<typename Role::c_type>));
    } else if constexpr (Is<Role, VarIn>) {
      if (value) value = plain_structure<std::remove_pointer_t<typename Role::c_type>>();
    } else if constexpr (VariableOut<Role> || std::is_same_v<Role, Capacity>) {
      value = static_cast<std::uint32_t>(samples.below(2000));
    } else if constexpr (std::is_same_v<typename Role::In, std::uint64_t> && !NewObject<Role>) {
      FakeDesktop desktop;
      const auto handle = handle_from<typename Role::c_type>(1 + samples.below(1000));
      typename C::Arguments arguments{};
      std::get<I>(arguments) = handle;
      value = Role::template take<C, I>(desktop, arguments);
    }
  });
  return inputs;
}

}  // namespace tsplink::wire::testing
