// The sale: from the item's creation to the proof.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tools/flash_sale/chaos.h"
#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/crowd.h"
#include "tools/flash_sale/interrupt.h"
#include "tools/flash_sale/local_server.h"
#include "tools/flash_sale/proof.h"
#include "tools/flash_sale/run.h"
#include "tools/flash_sale/view.h"
#include "tools/flash_sale/workers.h"

namespace sluice::flash_sale {

// The happy path is: create item, stream and group; let the workers and the crowd begin; when every try is
// answered wait until no order is held any more and the workers have read everything; read all of it back and
// prove it; clean up.
//
// A server that is killed is started again, and everybody retries. One that stays away, or answers what
// nobody expects, ends the run with Trouble; Ctrl-C ends it without a proof. What was created is removed all
// the same, as far as there is a server.
class Sale {
 public:
  // `server`: nullptr where it is none of ours.
  Sale(const Options& options, const Address& address, LocalServer* server, Interrupt& interrupt);

  // The status to exit with. Throws Trouble.
  int Run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Stock {
    uint64_t sold = 0, held = 0, available = 0;
  };

  void Create();
  void Remove();
  bool SellAll(Crowd& crowd, Workers& workers);
  bool Settle(Crowd& crowd, Workers& workers);
  bool Round(Crowd& crowd, Workers& workers, const char* phase);
  void Look();
  bool Drained();
  void Show(const Crowd& crowd, const Workers& workers, const char* phase);
  int Conclude(const Crowd& crowd, const Workers& workers);
  void Tell(const Crowd& crowd, const Workers& workers, const Proof& proof) const;
  void TellJson(const Crowd& crowd, const Workers& workers, const Proof& proof) const;

  const Options& options_;
  const Address& address_;
  LocalServer* server_;
  Interrupt& interrupt_;
  const TryPlan plan_;
  const std::string item_;
  const std::string stream_;
  flash_sale::Run run_;
  View view_;
  std::unique_ptr<Connection> connection_;  // looks how the item does
  Stock stock_;
  bool created_ = false;
  Clock::time_point began_;
  double selling_seconds_ = 0;  // until the last try was answered
  double server_seconds_ = 0;   // of processor time, until then; only of our own server
  Clock::time_point shown_;
  uint64_t shown_answers_ = 0;
  double buys_per_second_ = 0;
};

}  // namespace sluice::flash_sale
