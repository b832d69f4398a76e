// The worker's side of every function: what a vendor's function gets, and what is refused before it is called.
#include "sides.hpp"

namespace tsplink::wire::testing {
namespace {

/// Parameters that the sheet's text calls a Count.
std::size_t counts_of_the_sheet() {
  std::size_t found = 0;
  for (std::string_view entry : {
#define TSPI_CALL(...) #__VA_ARGS__,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
       }) {
    constexpr std::string_view kCount = ", Count)";
    for (auto at = entry.find(kCount); at != std::string_view::npos; at = entry.find(kCount, at + 1)) ++found;
  }
  return found;
}

TEST(Vendor, ACountIsWhatArrived) {
  std::size_t counted = 0;
  for_each_call([&]<class C, Function F>() {
    if constexpr (C::right != Right::Local) {
      for (std::uint64_t salt = 0; salt < 20; ++salt) {
        SCOPED_TRACE(at<C>("counts", F));
        Samples samples(salt);
        FakeWorker worker;
        const auto inputs = honest_inputs<C>(samples);
        auto held = hold<C>(worker, decode<typename C::Inputs>(encode(inputs)));
        read_counted<C>(pass<C>(held), inputs);
      }
      for_each_parameter<C>([&](auto i) { counted += std::is_same_v<typename C::template Role<i>, Count>; });
    }
  });
  EXPECT_GT(counted, 0U);
  EXPECT_EQ(counted, counts_of_the_sheet());  // every one was looked at
}

template <class C>
void expect_refused(const typename C::Inputs& inputs, const char* what) {
  FakeWorker worker;
  try {
    hold<C>(worker, inputs);
    ADD_FAILURE() << C::name << " took " << what;
  } catch (const Failure& failure) {
    EXPECT_TRUE(failure.kind() == Kind::Malformed || failure.kind() == Kind::NoSuchObject) << C::name << ' ' << what;
  }
}

// Each parameter in its turn is what only a hostile desktop sends.
TEST(Vendor, ABadParameterIsRefusedBeforeTheVendorSeesIt) {
  for_each_call([]<class C, Function F>() {
    Samples samples(5);
    const auto honest = honest_inputs<C>(samples);
    for_each_parameter<C>([&](auto index) {
      constexpr std::size_t I = decltype(index)::value;
      using Role = typename C::template Role<I>;
      auto inputs = honest;
      auto& value = std::get<I>(inputs);
      if constexpr (Counted<Role>) {
        value = Bytes((kMaxBlock / Role::unit + 1) * Role::unit);
        expect_refused<C>(inputs, "a block over the bound");
        if constexpr (Role::unit > 1) {
          value = Bytes(Role::unit + 1);
          expect_refused<C>(inputs, "one entry and a byte");
        }
      } else if constexpr (Is<Role, FixedIn>) {
        value = Bytes(sizeof(std::remove_pointer_t<typename Role::c_type>) - 1);
        expect_refused<C>(inputs, "a structure that is too short");
        value = Bytes();
        expect_refused<C>(inputs, "an empty structure");
      } else if constexpr (Is<Role, VarIn>) {
        value = Bytes(3);
        expect_refused<C>(inputs, "three bytes of a structure");
        value = plain_structure<std::remove_pointer_t<typename Role::c_type>>();
        value->pop_back();
        expect_refused<C>(inputs, "a structure without its last byte");
      } else if constexpr (std::is_same_v<Role, Text>) {
        value = std::u16string(u"a\0b", 3);
        expect_refused<C>(inputs, "a text with a NUL");
        value = std::u16string(kMaxText + 1, u'a');
        expect_refused<C>(inputs, "a text over the bound");
      } else if constexpr (VariableOut<Role> || std::is_same_v<Role, Capacity>) {
        value = kMaxBlock + 1;
        expect_refused<C>(inputs, "a request for more than a block");
      } else if constexpr (std::is_same_v<typename Role::In, std::uint64_t> && !NewObject<Role>) {
        value = 0x00FF000000000000U;
        expect_refused<C>(inputs, "an id of another kind");
      }
    });
  });
}

// A vendor may write a little past its buffers, and leave every output as it is.
TEST(Vendor, OutputsHaveSlackAndAreZero) {
  for_each_call([]<class C, Function F>() {
    if constexpr (C::right != Right::Local) {
      SCOPED_TRACE(at<C>("slack", F));
      Samples samples(9);
      FakeWorker worker;
      const auto inputs = honest_inputs<C>(samples);
      auto held = hold<C>(worker, inputs);
      const auto arguments = pass<C>(held);
      for_each_parameter<C>([&](auto index) {
        constexpr std::size_t I = decltype(index)::value;
        using Role = typename C::template Role<I>;
        const std::size_t size = room<C, I>(arguments, inputs);
        if constexpr (Is<Role, FixedOut> || VariableOut<Role> || BytesOutput<Role>) {
          if (auto* bytes = reinterpret_cast<std::uint8_t*>(std::get<I>(arguments))) {
            for (std::size_t i = VariableOut<Role> ? sizeof(DWORD) : 0; i < size; ++i) EXPECT_EQ(bytes[i], 0);
            std::memset(bytes + size, 0xEE, kSlack);
          }
        }
      });
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        (std::get<I>(held).returned(worker, 0), ...);
        typename C::Outputs outputs{std::get<I>(held).collect(worker)...};
        EXPECT_TRUE(decode<typename C::Outputs>(encode(outputs)) == outputs);
      }
      (std::make_index_sequence<C::size>{});
    }
  });
}

}  // namespace
}  // namespace tsplink::wire::testing
