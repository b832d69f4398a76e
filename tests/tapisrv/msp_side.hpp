// TAPI 3's part in the application for MSPs: loads the module of a CLSID, makes one address object for each MSP
// instance, carries LINE_SENDMSPDATA to ReceiveTSPData and MSP events to TSPI_lineReceiveMSPData.
// Owner: main. Each instance has a thread of its own, the only one that calls its address object.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "caller.hpp"
#include "world.hpp"

namespace tsplink::tapisim {

class MspInstance;

class MspSide final : public Listener {
 public:
  /// modules: CLSID as text (any case, with or without braces) -> path.
  MspSide(Caller& caller, std::map<std::string, std::string> modules, std::chrono::milliseconds limit);
  ~MspSide();

  /// An instance for an MSP object that lineCreateMSPInstance made. Without a module for the CLSID it only keeps
  /// quiet.
  void add(Object* msp, const Bytes& clsid);
  void remove(Object* msp);

  void create_call(Object* call);         // for an outgoing call, before the provider hears of it
  bool wait_created(const Object* call);  // false: the MSP made no call object in time
  void end_call(Object* call);
  void command(const Object* msp, const Object* call, const std::string& text);
  /// An event text of the MSP that contains `part`; each text is taken once. Empty when none came in time.
  std::string expect(const Object* msp, const std::string& part, std::chrono::milliseconds limit);

  void happened(const Happening& happening) override;  // with the world locked

 private:
  std::vector<std::shared_ptr<MspInstance>> of_line(const Object* line);
  std::shared_ptr<MspInstance> of(const Object* msp);

  Caller& caller_;
  const std::map<std::string, std::string> paths_;
  const std::chrono::milliseconds limit_;
  std::mutex mutex_;  // never held while the world's is taken
  std::map<std::string, std::unique_ptr<tests::Module>> modules_;
  std::vector<std::shared_ptr<MspInstance>> instances_;
};

}  // namespace tsplink::tapisim
