// For every function of the sheet: random inputs cross the codec and reach a vendor function that reads every byte it
// was promised (under ASan one byte too many ends the test), and what it writes comes back.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "remote-host/named_ids.hpp"
#include "remote-host/worker/vendor_call.hpp"

namespace tsplink::host::test {
namespace {

std::mt19937_64 random_source(20261122);  // the same numbers each time
std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_source() % bound); }

template <class T>
T handle(std::uint64_t number) {
  return reinterpret_cast<T>(static_cast<std::uintptr_t>(number));
}

class AnySide final : public wire::VendorSide {
 public:
  HDRVLINE line(std::uint64_t id) override { return handle<HDRVLINE>(id); }
  HDRVPHONE phone(std::uint64_t id) override { return handle<HDRVPHONE>(id); }
  HDRVCALL call(std::uint64_t id) override { return handle<HDRVCALL>(id); }
  HDRVMSPLINE msp_line(std::uint64_t id) override { return handle<HDRVMSPLINE>(id); }
  HDRVDIALOGINSTANCE dialog(std::uint64_t id) override { return handle<HDRVDIALOGINSTANCE>(id); }
  DWORD_PTR dialog_object(DWORD, std::uint64_t id) override { return static_cast<DWORD_PTR>(id); }
  DWORD line_device(std::uint64_t id) override { return static_cast<DWORD>(id); }
  DWORD phone_device(std::uint64_t id) override { return static_cast<DWORD>(id); }
  HTAPICALL call_token() override { return handle<HTAPICALL>(11); }
  HTAPILINE line_token() override { return handle<HTAPILINE>(12); }
  HTAPIPHONE phone_token() override { return handle<HTAPIPHONE>(13); }
  HTAPIMSPLINE msp_token() override { return 14; }
  std::uint64_t bind_call(HTAPICALL, HDRVCALL) override { return ++bound; }
  void bind_line(HTAPILINE, HDRVLINE) override { ++bound; }
  void bind_phone(HTAPIPHONE, HDRVPHONE) override { ++bound; }
  std::uint64_t bind_msp_line(HTAPIMSPLINE, HDRVMSPLINE) override { return ++bound; }
  std::uint32_t permanent_of(bool, DWORD device) override { return device; }
  std::uint32_t permanent_of_line(std::size_t index, std::size_t) override {
    return static_cast<std::uint32_t>(index);
  }
  std::uint32_t call_id(std::uint32_t vendors) override { return vendors; }
  DRV_REQUESTID request_id() override { return 77; }
  LINEEVENT line_event() override { return nullptr; }
  PHONEEVENT phone_event() override { return nullptr; }
  std::uint32_t version() const override { return 0x00030001; }
  std::uint64_t bound = 0;
};

template <class T>
struct IsVarIn : std::false_type {};
template <class T>
struct IsVarIn<wire::VarIn<T>> : std::true_type {
  using Structure = T;
};
template <class T>
struct IsVarOut : std::false_type {};
template <class T>
struct IsVarOut<wire::VarOut<T>> : std::true_type {};
template <class T>
struct IsVarOut<wire::LateVarOut<T>> : std::true_type {};
template <class T>
struct IsFixedIn : std::false_type {};
template <class T>
struct IsFixedIn<wire::FixedIn<T>> : std::true_type {
  static constexpr std::size_t size = sizeof(T);
};
template <class T>
struct IsFixedOut : std::false_type {};
template <class T>
struct IsFixedOut<wire::FixedOut<T>> : std::true_type {
  static constexpr std::size_t size = sizeof(T);
};
template <class T>
struct IsBytesOut : std::false_type {};
template <wire::FixedString Counter>
struct IsBytesOut<wire::BytesOut<Counter>> : std::true_type {
  static constexpr auto counter = Counter;
};
template <class T>
struct IsBytesInOut : std::false_type {};
template <wire::FixedString Counter>
struct IsBytesInOut<wire::BytesInOut<Counter>> : std::true_type {};
template <wire::FixedString Counter>
struct IsBytesInOut<wire::LateBytesInOut<Counter>> : std::true_type {};

template <class T>
wire::Bytes valid_structure() {
  wire::Bytes bytes(wire::fixed_size(wire::describe<T>(), 0x00030001));
  const auto total = static_cast<DWORD>(bytes.size());
  std::memcpy(bytes.data(), &total, sizeof total);
  return bytes;
}

wire::Bytes random_bytes(std::size_t size) {
  wire::Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_source());
  return bytes;
}

template <class Role>
typename Role::In random_input() {
  using In = typename Role::In;
  if constexpr (std::is_same_v<In, wire::Nothing>) {
    return {};
  } else if constexpr (IsVarIn<Role>::value) {
    if (below(4) == 0) return std::nullopt;
    return valid_structure<typename IsVarIn<Role>::Structure>();
  } else if constexpr (IsFixedIn<Role>::value) {
    if (below(4) == 0) return std::nullopt;
    return random_bytes(IsFixedIn<Role>::size);
  } else if constexpr (requires { Role::counted_by; }) {
    if (below(8) == 0) return std::nullopt;
    return random_bytes(Role::unit * below(20));
  } else if constexpr (IsVarOut<Role>::value) {
    return below(4) == 0 ? 0 : 512 + below(2000);
  } else if constexpr (std::is_same_v<Role, wire::Capacity>) {
    return below(300);
  } else if constexpr (std::is_same_v<In, wire::Utf16>) {
    if (below(4) == 0) return std::nullopt;
    return std::u16string(below(30), u'5');
  } else if constexpr (std::is_same_v<In, std::uint64_t>) {
    return 1 + below(1000000);
  } else {
    return below(1000);
  }
}

/// What the vendor function of C found, and what it promises to have written.
struct Seen {
  bool called = false;
  std::size_t bytes = 0;  // read behind counted pointers
  std::uint32_t sum = 0;
  std::size_t text = 0;
};
Seen seen;

void read(const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  for (std::size_t i = 0; i < size; ++i) seen.sum += bytes[i];
  seen.bytes += size;
}

template <class C, std::size_t I>
void use(const typename C::Arguments& arguments) {
  using Role = typename C::template Role<I>;
  [[maybe_unused]] const auto argument = std::get<I>(arguments);
  if constexpr (requires { Role::counted_by; }) {
    const DWORD count = std::get<C::position(Role::counted_by.view())>(arguments);
    if (argument) read(argument, count * Role::unit);
    if constexpr (IsBytesInOut<Role>::value) {
      // A careless vendor writes past the end.
      if (argument) std::memset(argument, 0x5A, count + 64);
    }
  } else if constexpr (IsFixedIn<Role>::value) {
    if (argument) read(argument, IsFixedIn<Role>::size);
  } else if constexpr (IsVarIn<Role>::value) {
    DWORD total = 0;
    if (argument) std::memcpy(&total, argument, sizeof total);
    read(argument, total);
  } else if constexpr (IsVarOut<Role>::value) {
    if (!argument) return;
    DWORD head[3] = {};
    std::memcpy(head, argument, sizeof head);
    std::memset(reinterpret_cast<std::uint8_t*>(argument) + sizeof head, 0, head[0] - sizeof head + 64);
    head[1] = head[2] = head[0];
    std::memcpy(argument, head, sizeof head);
  } else if constexpr (IsFixedOut<Role>::value) {
    std::memset(argument, 0x5A, IsFixedOut<Role>::size + 64);
  } else if constexpr (IsBytesOut<Role>::value) {
    std::memset(argument, 0x5A, std::get<C::position(IsBytesOut<Role>::counter.view())>(arguments) + 64);
  } else if constexpr (std::is_base_of_v<wire::DwordOut, Role>) {
    *argument = 0x12345678;
  } else if constexpr (std::is_same_v<Role, wire::Text>) {
    for (const auto* letter = argument; letter && *letter; ++letter) ++seen.text;
  } else if constexpr (wire::kMakesCall<Role> || std::is_same_v<Role, wire::NewLine> ||
                       std::is_same_v<Role, wire::NewPhone> || std::is_same_v<Role, wire::NewMspLine>) {
    *argument = handle<std::remove_pointer_t<decltype(argument)>>(0x200);
  }
}

template <class C, class Arguments>
struct Recorder;
template <class C, class... A>
struct Recorder<C, std::tuple<A...>> {
  static LONG WINAPI call(A... arguments) {
    seen.called = true;
    const std::tuple<A...> all(arguments...);
    wire::for_each_parameter<C>([&](auto at) { use<C, at.value>(all); });
    return 0;
  }
};

std::uint32_t sum_of(const wire::Bytes& bytes) {
  std::uint32_t sum = 0;
  for (const auto byte : bytes) sum += byte;
  return sum;
}

template <class C, std::size_t I>
void expect(const typename C::Inputs& inputs, Seen& wanted) {
  using Role = typename C::template Role<I>;
  if constexpr (requires { Role::counted_by; } || IsFixedIn<Role>::value || IsVarIn<Role>::value) {
    if (const auto& block = std::get<I>(inputs)) {
      wanted.bytes += block->size();
      wanted.sum += sum_of(*block);
    }
  } else if constexpr (std::is_same_v<Role, wire::Text>) {
    if (const auto& text = std::get<I>(inputs)) wanted.text += text->size();
  }
}

template <class C, std::size_t I>
void check_output(const typename C::Inputs& inputs, const typename C::Outputs& outputs) {
  using Role = typename C::template Role<I>;
  [[maybe_unused]] const auto& out = std::get<I>(outputs);
  if constexpr (std::is_base_of_v<wire::DwordOut, Role>) {
    EXPECT_EQ(out, 0x12345678U);
  } else if constexpr (IsFixedOut<Role>::value) {
    EXPECT_EQ(out, wire::Bytes(IsFixedOut<Role>::size, 0x5A));
  } else if constexpr (IsBytesOut<Role>::value) {
    EXPECT_EQ(out, wire::Bytes(std::get<C::position(IsBytesOut<Role>::counter.view())>(inputs), 0x5A));
  } else if constexpr (IsBytesInOut<Role>::value) {
    const auto& in = std::get<I>(inputs);
    EXPECT_EQ(out.has_value(), in.has_value());
    if (in) {
      EXPECT_EQ(*out, wire::Bytes(in->size(), 0x5A));
    }
  } else if constexpr (IsVarOut<Role>::value) {
    EXPECT_EQ(out.has_value(), std::get<I>(inputs) != 0);
    if (out) {
      EXPECT_LE(out->size(), std::get<I>(inputs));
    }
  } else if constexpr (wire::kMakesCall<Role> || std::is_same_v<Role, wire::NewMspLine>) {
    EXPECT_NE(out, 0U);
  }
}

template <class C>
void check_function() {
  SCOPED_TRACE(C::name);
  if constexpr (C::right == wire::Right::Local) {
    EXPECT_THROW(make_vendor_call(number_of<C>, {}), Failure);
  } else {
    const Vendor vendor("recorder", {[](const char* name) -> void* {
                                       if (std::string(name).substr(5) != C::name) return nullptr;
                                       return reinterpret_cast<void*>(&Recorder<C, typename C::Arguments>::call);
                                     },
                                     nullptr});
    for (int round = 0; round < 20; ++round) {
      auto inputs = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return typename C::Inputs{random_input<typename C::template Role<I>>()...};
      }
      (std::make_index_sequence<C::size>{});
      if constexpr (constexpr auto at = C::position("dwObjectType"); at < C::size)
        std::get<at>(inputs) = 1 + below(4);
      const auto bytes = wire::encode(inputs);
      EXPECT_NO_THROW(named_ids(number_of<C>, bytes));
      AnySide side;
      const auto call = make_vendor_call(number_of<C>, bytes);
      seen = {};
      call->hold(side);
      EXPECT_EQ(call->invoke(vendor), 0);
      call->bind(side);
      Seen wanted;
      wire::for_each_parameter<C>([&](auto at) { expect<C, at.value>(inputs, wanted); });
      EXPECT_TRUE(seen.called);
      EXPECT_EQ(seen.bytes, wanted.bytes);
      EXPECT_EQ(seen.sum, wanted.sum);
      EXPECT_EQ(seen.text, wanted.text);
      const auto outputs = wire::decode<typename C::Outputs>(call->outputs(side));
      wire::for_each_parameter<C>([&](auto at) { check_output<C, at.value>(inputs, outputs); });
    }
  }
}

TEST(Derived, EveryFunctionReachesTheVendorWhole) {
  wire::for_each_call([]<class C, wire::Function F>() {
    static_assert(number_of<C> == static_cast<std::uint16_t>(F));
    check_function<C>();
  });
}

TEST(Derived, MalformedArgumentsAreRefused) {
  const wire::Bytes rubbish(40, 0xFF);
  for (std::uint16_t function = 0; function < wire::kFunctionCount + 5; ++function) {
    EXPECT_THROW(make_vendor_call(function, rubbish), Failure) << function;
    EXPECT_THROW(named_ids(function, rubbish), Failure) << function;
  }
}

}  // namespace
}  // namespace tsplink::host::test
