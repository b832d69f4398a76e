// The vendor's devices, calls and MSP instances as a worker knows them: by host-wide id, by the token that the vendor
// names them by, with the vendor's own handle. Owner: one worker's Core, under its lock.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "remote-host/worker/vendor_call.hpp"
#include "wire/envelopes.hpp"

namespace tsplink::host {

/// Whether of a phone, the vendor's own permanent id, and which it is of those that have the same.
using VendorId = std::tuple<bool, DWORD, std::uint32_t>;

struct Device {
  std::uint64_t id = 0;
  bool phone = false;
  DWORD number = 0;  // the device id that the vendor knows
  VendorId vendor_id{};
  std::uint32_t version = 0;
  std::uint32_t permanent = wire::kNoDevice;
  bool removed = false;
  bool describing = false;       // it is going to be asked for its capabilities anew
  DWORD token = 0;               // 0: not open
  const void* handle = nullptr;  // HDRVLINE or HDRVPHONE
  bool opening = false;
  bool held_back = false;  // a completion came inside its function: what came after it waits for the return
  std::vector<std::function<void()>> behind;
  std::vector<HDRVCALL> failed;  // calls of lineMakeCalls that failed by completion: to be closed, before the line
};

struct Call {
  std::uint64_t id = 0;
  std::uint64_t line = 0;
  DWORD token = 0;
  HDRVCALL handle = nullptr;
  bool pending = false;                             // its function's completion is not there yet
  std::vector<wire::EventValues> held;              // events that wait for that completion, of other calls too
  std::uint64_t behind = 0;                         // a call that its events wait for: it is conferenced there
  std::deque<std::shared_ptr<VendorCall>> gathers;  // own the buffers that the vendor writes digits into
};

struct MspInstance {
  std::uint64_t id = 0;
  std::uint64_t line = 0;
  DWORD token = 0;
  HDRVMSPLINE handle = nullptr;
};

struct Dialog {
  std::uint64_t id = 0;
  std::uint64_t device = 0;  // of the request that asked for it
  DWORD token = 0;
  HDRVDIALOGINSTANCE handle = nullptr;
};

/// Objects of one kind with their two keys.
template <class T>
class Table {
 public:
  T& add(T object) {
    const auto id = object.id;
    if (object.token) tokens_[object.token] = id;
    return objects_[id] = std::move(object);
  }
  T* find(std::uint64_t id) {
    const auto found = objects_.find(id);
    return found == objects_.end() ? nullptr : &found->second;
  }
  T* by_token(DWORD_PTR token) {
    const auto found = tokens_.find(token);
    return found == tokens_.end() ? nullptr : find(found->second);
  }
  void set_token(T& object, DWORD token) {
    if (object.token) tokens_.erase(object.token);
    object.token = token;
    if (token) tokens_[token] = object.id;
  }
  void remove(std::uint64_t id) {
    if (auto* object = find(id)) {
      tokens_.erase(object->token);
      objects_.erase(id);
    }
  }
  template <class F>
  std::vector<std::uint64_t> ids_where(F&& wanted) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, object] : objects_) {
      if (wanted(object)) ids.push_back(id);
    }
    return ids;
  }

 private:
  std::unordered_map<std::uint64_t, T> objects_;
  std::unordered_map<DWORD_PTR, std::uint64_t> tokens_;
};

/// A random id, never 0, that names an object on every desktop.
std::uint64_t random_id();
/// The conference that a LINECALLSTATE_CONFERENCED names; 0: none, or another message.
std::uint64_t conference_of(const wire::EventValues& event);

}  // namespace tsplink::host
