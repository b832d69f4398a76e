// One MSP instance: an address object of an MSP and the thread that calls it.
// Owner: MspSide. Any thread may post; the address object is only called on the instance's own thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "caller.hpp"
#include "tests/msp/msp.hpp"
#include "world.hpp"

namespace tsplink::tapisim {

class MspInstance {
 public:
  MspInstance(Caller& caller, Object* msp, msp::Address* address);
  ~MspInstance();
  MspInstance(const MspInstance&) = delete;
  MspInstance& operator=(const MspInstance&) = delete;

  Object* object() const { return msp_; }

  void create_call(Object* call);
  void end_call(Object* call);
  void receive(Object* call, Bytes data);
  void command(const Object* call, const std::string& text);
  /// Of the last command that was carried out.
  HRESULT answer();
  /// Events that nobody has taken.
  std::string waiting();
  bool drain(std::chrono::milliseconds limit);  // all tasks are done and all events handed on
  bool has_call(const Object* call);
  std::string take(const std::string& part, std::chrono::milliseconds limit);
  void stop();

 private:
  void post(std::function<void()> task);
  void work();
  void give_events();
  void give_data(const msp::EventInfo& info);
  void complain(const std::string& what, HRESULT result);

  Caller& caller_;
  World& world_;
  Object* msp_;
  msp::Address* address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool working_ = false, signalled_ = false, ending_ = false;
  std::map<const Object*, msp::CallObject*> calls_;
  std::deque<std::string> texts_;
  HRESULT answer_ = msp::kOk;
  std::thread thread_;
};

}  // namespace tsplink::tapisim
