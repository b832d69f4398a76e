// A whole call of every function without a network: C arguments on the desktop, what crosses, the vendor's arguments,
// what the vendor wrote, and what the caller finds in its buffers.
#include "whole_call.hpp"

namespace tsplink::wire::testing {
namespace {

template <class T>
std::uintptr_t raw(T value) {
  std::uintptr_t number = 0;
  std::memcpy(&number, &value, sizeof value);
  return number;
}

// A pair of a structure that holds plain bytes, which a vendor fills and TAPI does not.
const Pair* plain_pair(const StructureDescription& structure) {
  for (const auto& pair : structure.pairs) {
    if (!pair.tapi_owned && !pair.element && pair.since <= kVersion && pair.content != Content::DeviceClasses)
      return &pair;
  }
  return nullptr;
}

std::uint32_t word(const void* from, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, static_cast<const std::uint8_t*>(from) + at, sizeof value);
  return value;
}
void set_word(void* to, std::size_t at, std::size_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  std::memcpy(static_cast<std::uint8_t*>(to) + at, &narrow, sizeof narrow);
}

/// Compares what the vendor got with what the caller passed, writes outputs, and later finds them at the caller.
template <class C>
class Check {
 public:
  Check(const typename C::Arguments& caller, const typename C::Arguments& vendor, Samples& samples)
      : caller_(caller), vendor_(vendor), samples_(samples) {}

  template <std::size_t I>
  void vendor() {
    using Role = typename C::template Role<I>;
    const auto sent = std::get<I>(caller_);
    const auto got = std::get<I>(vendor_);
    if constexpr (std::is_same_v<typename Role::In, std::uint64_t> && !NewObject<Role>) {
      EXPECT_EQ(raw(got), raw(sent) + kShift);
    } else if constexpr (std::is_same_v<Role, RequestId>) {
      EXPECT_EQ(got, 4711U);
    } else if constexpr (std::is_base_of_v<Dword, Role>) {
      EXPECT_EQ(got, sent);
    } else if constexpr (std::is_same_v<Role, Count>) {
      // with its pointer
    } else if constexpr (Counted<Role>) {
      counted<I>();
    } else if constexpr (std::is_same_v<Role, Text>) {
      EXPECT_EQ(got == nullptr, sent == nullptr);
      if (got && sent) {
        EXPECT_TRUE(std::basic_string<WCHAR>(got) == sent);
      }
    } else if constexpr (Is<Role, VarIn> || Is<Role, FixedIn>) {
      EXPECT_EQ(got == nullptr, sent == nullptr);
      const std::size_t size = !sent ? 0 : Is<Role, FixedIn> ? sizeof *sent : word(sent, 0);
      if (got && sent) {
        EXPECT_EQ(std::memcmp(got, sent, size), 0);
      }
    } else if constexpr (VariableOut<Role>) {
      if constexpr (Role::late) {
        EXPECT_EQ(word(got, 0), word(sent, 0));
      } else {
        EXPECT_EQ(word(got, 0), std::max<DWORD>(word(sent, 0), Role::least_room));  // so that it says what it needs
      }
      write_structure(got);
    } else if constexpr (BytesOutput<Role>) {
      std::memset(got, 0x5C, std::get<C::position("dwSize")>(vendor_));
    } else if constexpr (Is<Role, FixedOut>) {
      std::memset(got, 0x5D, sizeof *got);
    } else if constexpr (std::is_base_of_v<DwordOut, Role>) {
      *got = static_cast<DWORD>(1000 + I);
    } else if constexpr (NewObject<Role>) {
      *got = handle_from<std::remove_pointer_t<typename Role::c_type>>(0x9000 + I);
    } else if constexpr (std::is_same_v<Role, TargetProcess>) {
      EXPECT_EQ(got, INVALID_HANDLE_VALUE);
    }
  }

  template <std::size_t I>
  void caller() {
    using Role = typename C::template Role<I>;
    const auto mine = std::get<I>(caller_);
    if constexpr (Counted<Role> && Role::late) {
      const auto size = std::get<C::position(Role::counted_by.view())>(caller_);
      for (DWORD i = 0; mine && i < size; ++i) EXPECT_EQ(static_cast<const std::uint8_t*>(mine)[i], 0x5B);
    } else if constexpr (VariableOut<Role>) {
      found_structure(mine, !Role::late);
    } else if constexpr (BytesOutput<Role>) {
      for (DWORD i = 0; i < std::get<C::position("dwSize")>(caller_); ++i) {
        EXPECT_EQ(static_cast<const std::uint8_t*>(mine)[i], 0x5C);
      }
    } else if constexpr (Is<Role, FixedOut>) {
      EXPECT_EQ(word(mine, sizeof *mine - 4), 0x5D5D5D5DU);
    } else if constexpr (std::is_base_of_v<DwordOut, Role>) {
      EXPECT_EQ(*mine, 1000 + I);
    }
  }

 private:
  template <std::size_t I>
  void counted() {
    using Role = typename C::template Role<I>;
    constexpr auto at_count = C::position(Role::counted_by.view());
    const auto sent = std::get<I>(caller_);
    const auto got = std::get<I>(vendor_);
    EXPECT_EQ(got == nullptr, sent == nullptr);
    if (!got || !sent) {
      EXPECT_EQ(std::get<at_count>(vendor_), 0U);
      return;
    }
    EXPECT_EQ(std::get<at_count>(vendor_), std::get<at_count>(caller_));
    const std::size_t size = std::get<at_count>(vendor_) * Role::unit;
    EXPECT_EQ(std::memcmp(got, sent, size), 0);
    if constexpr (Role::late) std::memset(got, 0x5B, size);
  }

  template <class T>
  void write_structure(T* to) {
    const auto fixed = fixed_size(describe<T>(), kVersion);
    std::size_t end = fixed;
    if (const auto* pair = plain_pair(describe<T>()); pair && fixed + 12 <= word(to, 0)) {
      set_word(to, pair->size_at, 12);
      set_word(to, pair->offset_at, fixed);
      std::memset(reinterpret_cast<std::uint8_t*>(to) + fixed, 0x41, 12);
      end += 12;
    }
    set_word(to, 4, end);
    set_word(to, 8, end);
  }
  template <class T>
  void found_structure(const T* mine, bool whole) {
    const auto fixed = fixed_size(describe<T>(), kVersion);
    const bool room = fixed + 12 <= word(mine, 0);
    const auto* pair = plain_pair(describe<T>());
    EXPECT_EQ(word(mine, 8), fixed + (pair && room ? 12 : 0));
    if (pair && whole) {
      EXPECT_EQ(word(mine, 4), fixed + 12);  // what is needed is true even where there was no room for it
    }
    if (!pair || !room) return;
    EXPECT_EQ(word(mine, pair->size_at), 12U);
    const auto offset = word(mine, pair->offset_at);
    for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(reinterpret_cast<const std::uint8_t*>(mine)[offset + i], 0x41);
  }

  const typename C::Arguments& caller_;
  const typename C::Arguments& vendor_;
  Samples& samples_;
};

template <class C>
void whole_call(std::uint64_t salt) {
  Samples samples(salt);
  FakeDesktop desktop;
  FakeWorker worker;
  const Caller<C> caller(samples);
  const auto inputs = taken<C>(desktop, caller.arguments);
  auto held = hold<C>(worker, decode<typename C::Inputs>(encode(inputs)));
  const auto vendor_arguments = pass<C>(held);
  Check<C> check(caller.arguments, vendor_arguments, samples);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (check.template vendor<I>(), ...);
    const auto outputs = decode<typename C::Outputs>(encode(collected<C>(worker, held)));
    EXPECT_TRUE(((C::template Role<I>::template store<C, I>(desktop, std::get<I>(outputs), std::get<I>(inputs),
                                                            caller.arguments) == 0) &&
                 ...));
    (check.template caller<I>(), ...);
  }
  (std::make_index_sequence<C::size>{});
  EXPECT_EQ(desktop.named.size(), desktop.minted);  // every handle that was minted learned its id
  for (const auto& [number, id] : desktop.named) EXPECT_NE(id, 0U);
}

TEST(Desktop, EveryFunctionGoesToTheVendorAndBack) {
  for_each_call([]<class C, Function F>() {
    if constexpr (C::right != Right::Local) {
      for (std::uint64_t salt = 0; salt < 10; ++salt) {
        SCOPED_TRACE(at<C>("whole call", F));
        whole_call<C>(salt);
      }
    }
  });
}

}  // namespace
}  // namespace tsplink::wire::testing
