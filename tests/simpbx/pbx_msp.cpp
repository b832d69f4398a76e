// The TSP's side of the private exchange with the MSP half, and the four TSPI functions about MSPs but MSPIdentify.
#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/msp_protocol.hpp"

namespace tsplink::simpbx {
namespace {

std::string about(const Line& line, const Call* call) {
  return call ? "call " + std::to_string(call->number) : "line " + std::to_string(line.number);
}

}  // namespace

bool Pbx::has_msp(const Line& line) const {
  if (!config.msp || line.version < kMspVersion) return false;
  for (const auto& [handle, instance] : msp_instances) {
    if (instance.line.get() == &line) return true;
  }
  return false;
}

/// The TSP opens the exchange, after CONNECTED: for an outgoing call the MSP knows the call first.
void Pbx::start_streaming(const CallPtr& call) {
  if (!call->announced || call->msp.started || !has_msp(*call->line)) return;
  MspMessage message;
  message.type = MspType::start;
  message.sequence = call->msp.next_sequence++;
  log("   " + about(*call->line, call.get()) + ": the MSP is told to start streaming");
  send_msp(call->line, call, 0, encode(message));
}

void Pbx::send_msp(const LinePtr& line, const CallPtr& call, HTAPIMSPLINE instance, Bytes bytes) {
  Callback callback;
  callback.scope.line = line;
  callback.scope.call = call;
  callback.message = static_cast<DWORD>(LINE_SENDMSPDATA);
  callback.bytes = std::make_shared<Bytes>(std::move(bytes));
  callback.p1 = instance;
  callback.p2 = reinterpret_cast<DWORD_PTR>(callback.bytes->data());
  callback.p3 = callback.bytes->size();
  courier.emit(std::move(callback));
}

std::string Pbx::send_pattern(const LinePtr& line, const CallPtr& call, HTAPIMSPLINE instance, DWORD size, DWORD seed,
                              DWORD blocks, bool echo) {
  if (!has_msp(*line)) return "error Line " + std::to_string(line->number) + " has no MSP instance.";
  MspTraffic& traffic = call ? call->msp : line->msp;
  for (Bytes& bytes : pattern_messages(traffic, seed, size, blocks, echo))
    send_msp(line, call, instance, std::move(bytes));
  return "ok blocks=" + std::to_string(blocks);
}

void Pbx::receive_msp(const LinePtr& line, const CallPtr& call, const MspInstance& from, const BYTE* bytes,
                      DWORD size) {
  MspTraffic& traffic = call ? call->msp : line->msp;
  std::string why;
  const auto message = decode(bytes, size, &why);
  if (!message) {
    ++traffic.foreign;
    log("   " + about(*line, call.get()) + ": " + std::to_string(size) + " bytes from the MSP: " + why);
    return;
  }
  if (!account(traffic, *message))
    log("!! " + about(*line, call.get()) + ": the MSP's block has wrong content or order");
  if (message->type == MspType::started) {
    traffic.started = true;
    log("   " + about(*line, call.get()) + ": streaming started");
  }
  if (message->type == MspType::block && (message->flags & kWantEcho)) {
    MspMessage echo = *message;
    echo.type = MspType::echo;
    echo.flags = 0;
    echo.sequence = traffic.next_sequence++;
    send_msp(line, call, from.htMSPLine, encode(echo));
  }
}

}  // namespace tsplink::simpbx

using namespace tsplink::simpbx;

SIMPBX_EXPORT TSPI_lineCreateMSPInstance(HDRVLINE hdLine, DWORD dwAddressID, HTAPIMSPLINE htMSPLine,
                                         LPHDRVMSPLINE lphdMSPLine) {
  return sync_entry("lineCreateMSPInstance", {ARG(hdLine), ARG(dwAddressID), ARG(htMSPLine)}, [&](Pbx& pbx) {
    need_pointer(lphdMSPLine);
    const LinePtr line = pbx.line(hdLine);
    pbx.address(*line, dwAddressID);
    if (!pbx.config.msp || line->version < kMspVersion) refuse(LINEERR_OPERATIONUNAVAIL);
    MspInstance instance;
    instance.handle = pbx.new_handle();
    instance.line = line;
    instance.address_id = dwAddressID;
    instance.htMSPLine = htMSPLine;
    pbx.msp_instances[instance.handle] = instance;
    *lphdMSPLine = handle_of<HDRVMSPLINE>(instance.handle);
  });
}

SIMPBX_EXPORT TSPI_lineCloseMSPInstance(HDRVMSPLINE hdMSPLine) {
  return sync_entry("lineCloseMSPInstance", {ARG(hdMSPLine)}, [&](Pbx& pbx) {
    if (pbx.msp_instances.erase(number_of(hdMSPLine)) == 0) refuse(LINEERR_INVALPARAM);
  });
}

SIMPBX_EXPORT TSPI_lineReceiveMSPData(HDRVLINE hdLine, HDRVCALL hdCall, HDRVMSPLINE hdMSPLine, LPVOID pBuffer,
                                      DWORD dwSize) {
  return sync_entry("lineReceiveMSPData", {ARG(hdLine), ARG(hdCall), ARG(hdMSPLine), BLOCK_ARG(pBuffer, dwSize)},
                    [&](Pbx& pbx) {
                      const LinePtr line = pbx.line(hdLine);
                      const auto instance = pbx.msp_instances.find(number_of(hdMSPLine));
                      if (instance == pbx.msp_instances.end() || instance->second.line != line)
                        refuse(LINEERR_INVALPARAM);
                      const CallPtr call = hdCall ? pbx.call(hdCall) : nullptr;
                      if (call && call->line != line) refuse(LINEERR_INVALCALLHANDLE);
                      if (dwSize > 0) need_pointer(pBuffer);
                      pbx.receive_msp(line, call, instance->second, static_cast<const BYTE*>(pBuffer), dwSize);
                    });
}
