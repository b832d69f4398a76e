#include "fake_vendor.hpp"

#include <cstring>

namespace tsplink::host::test {

namespace {
VendorState* current = nullptr;

template <class T>
LONG fill(T* structure) {
  structure->dwNeededSize = sizeof(T);
  structure->dwUsedSize = std::min<DWORD>(structure->dwTotalSize, sizeof(T));
  return 0;
}
}  // namespace

VendorState& vendor() { return *current; }

FakeVendor::FakeVendor() {
  set<calls::lineNegotiateTSPIVersion>([](DWORD, DWORD, DWORD, LPDWORD version) -> LONG {
    *version = 0x00020002;
    return 0;
  });
  set<calls::phoneNegotiateTSPIVersion>([](DWORD, DWORD, DWORD, LPDWORD version) -> LONG {
    *version = 0x00020002;
    return 0;
  });
  set<calls::providerEnumDevices>([](DWORD, LPDWORD lines, LPDWORD phones, HPROVIDER provider, LINEEVENT line_event,
                                     PHONEEVENT phone_event) -> LONG {
    *lines = 2;
    *phones = 1;
    vendor().provider = provider;
    vendor().line_event = line_event;
    vendor().phone_event = phone_event;
    return 0;
  });
  set<calls::providerInit>([](DWORD, DWORD, DWORD base, DWORD, DWORD_PTR, DWORD_PTR, ASYNC_COMPLETION completion,
                              LPDWORD options) -> LONG {
    vendor().base = base;
    vendor().completion = completion;
    EXPECT_EQ(*options, 0U);  // some vendors never write it
    *options = vendor().options;
    return 0;
  });
  set<calls::providerShutdown>([](DWORD, DWORD) -> LONG {
    vendor().note("shutdown");
    return 0;
  });
  set<calls::lineGetDevCaps>([](DWORD device, DWORD, DWORD, LPLINEDEVCAPS caps) -> LONG {
    caps->dwPermanentLineID = device;
    caps->dwNumAddresses = 1;
    caps->dwDevCapFlags = vendor().line_flags;
    return fill(caps);
  });
  set<calls::lineGetAddressCaps>(
      [](DWORD, DWORD, DWORD, DWORD, LPLINEADDRESSCAPS caps) -> LONG { return fill(caps); });
  set<calls::phoneGetDevCaps>([](DWORD, DWORD, DWORD, LPPHONECAPS caps) -> LONG { return fill(caps); });
  set<calls::lineOpen>([](DWORD device, HTAPILINE htLine, LPHDRVLINE hdLine, DWORD, LINEEVENT) -> LONG {
    std::lock_guard lock(vendor().mutex);
    vendor().lines[device] = htLine;
    *hdLine = line_handle(device);
    return 0;
  });
  set<calls::lineClose>([](HDRVLINE) -> LONG {
    vendor().note("close line");
    return 0;
  });
  set<calls::lineCloseCall>([](HDRVCALL) -> LONG {
    vendor().note("close call");
    return 0;
  });
}

WorkerTest::WorkerTest() { current = new VendorState; }

WorkerTest::~WorkerTest() {
  worker_.reset();
  delete current;
  current = nullptr;
}

void WorkerTest::start() {
  options_.name = "fake";
  worker_ = std::make_unique<Worker>(options_, fake_.module(), outbox_, clock_, std::make_shared<PermanentIds>());
  worker_->start();
  const auto envelope = outbox_.wait_for([](const auto& each) { return each.body_as_Inventory() != nullptr; });
  ASSERT_TRUE(envelope);
  inventory_ = wire::read_inventory(*wire::verified_envelope(*envelope)->body_as_Inventory());
}

Answer WorkerTest::await(std::uint64_t id) {
  Answer answer;
  answer.buffer = outbox_.wait_for([&](const wire::fb::Envelope& each) {
    const auto* reply = each.body_as_Reply();
    const auto* completion = each.body_as_Completion();
    return (reply && reply->id() == id) || (completion && completion->id() == id);
  });
  if (!answer.buffer) {
    ADD_FAILURE() << "request " << id << " was not answered";
    return answer;
  }
  const auto* envelope = wire::verified_envelope(*answer.buffer);
  if (const auto* completion = envelope->body_as_Completion()) {
    answer.completion = true;
    answer.result = completion->result();
    answer.outputs = wire::span_of(completion->outputs());
  } else {
    answer.result = envelope->body_as_Reply()->result();
    answer.outputs = wire::span_of(envelope->body_as_Reply()->outputs());
  }
  return answer;
}

void WorkerTest::open_line(std::size_t index) {
  ASSERT_EQ(run<calls::lineOpen>({line(index), {}, {}, 0x00020002, {}}).result, 0);
}

std::size_t WorkerTest::completions_of(std::uint64_t id) {
  EXPECT_TRUE(worker_->wait_idle(std::chrono::seconds(20)));
  std::size_t count = 0;
  for (const auto& buffer : outbox_.all()) {
    const auto* completion = wire::verified_envelope(*buffer)->body_as_Completion();
    count += completion && completion->id() == id;
  }
  return count;
}

std::vector<const wire::fb::Event*> WorkerTest::events() {
  std::vector<const wire::fb::Event*> found;
  for (const auto& buffer : outbox_.all()) {
    if (const auto* event = wire::verified_envelope(*buffer)->body_as_Event()) found.push_back(event);
  }
  return found;
}

}  // namespace tsplink::host::test
