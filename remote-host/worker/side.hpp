// The worker's end of the roles for one vendor call: ids to the vendor's handles, tokens for what the call makes, and
// their undoing when the vendor refused. Owner: the task that runs the call; takes the Core's lock for each step.
#pragma once

#include "remote-host/worker/core.hpp"
#include "wire/sides.hpp"

namespace tsplink::host {

class CallSide final : public wire::VendorSide {
 public:
  CallSide(Core& core, std::string_view function) : core_(core), phone_function_(is_phone_function(function)) {}

  HDRVLINE line(std::uint64_t id) override;
  HDRVPHONE phone(std::uint64_t id) override;
  HDRVCALL call(std::uint64_t id) override;
  HDRVMSPLINE msp_line(std::uint64_t id) override;
  HDRVDIALOGINSTANCE dialog(std::uint64_t id) override;
  DWORD_PTR dialog_object(DWORD type, std::uint64_t id) override;
  DWORD line_device(std::uint64_t id) override { return device(id, false); }
  DWORD phone_device(std::uint64_t id) override { return device(id, true); }
  HTAPICALL call_token() override;
  HTAPILINE line_token() override;
  HTAPIPHONE phone_token() override;
  HTAPIMSPLINE msp_token() override;
  std::uint64_t bind_call(HTAPICALL token, HDRVCALL handle) override;
  void bind_line(HTAPILINE token, HDRVLINE handle) override;
  void bind_phone(HTAPIPHONE token, HDRVPHONE handle) override;
  std::uint64_t bind_msp_line(HTAPIMSPLINE token, HDRVMSPLINE handle) override;
  std::uint32_t permanent_of(bool phone, DWORD device) override;
  std::uint32_t permanent_of_line(std::size_t index, std::size_t count) override;
  std::uint32_t call_id(std::uint32_t vendors) override;
  DRV_REQUESTID request_id() override;
  LINEEVENT line_event() override { return &Registry::line_event; }
  PHONEEVENT phone_event() override { return &Registry::phone_event; }
  std::uint32_t version() const override { return version_; }

  /// What the call made goes again: the vendor refused, or was not asked.
  void undo();
  DWORD request() const { return request_; }
  const std::vector<std::uint64_t>& made_calls() const { return made_calls_; }

 private:
  DWORD device(std::uint64_t id, bool phone);
  const void* device_handle(std::uint64_t id, bool phone);
  DWORD open_token(bool phone);
  void bind_device(DWORD_PTR token, const void* handle);

  Core& core_;
  const bool phone_function_;
  std::uint32_t version_ = 0;
  std::uint64_t device_ = 0;  // asked for last
  DWORD request_ = 0;
  bool opened_ = false;
  std::vector<std::uint64_t> made_calls_;
  std::uint64_t made_msp_ = 0;
};

}  // namespace tsplink::host
