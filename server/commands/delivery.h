// Messages to sessions that did not ask for them just now: pub/sub and MONITOR.
#pragma once

#include <string>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/commands/host.h"
#include "server/commands/output.h"
#include "server/commands/session.h"

namespace sluice::commands {

// One message on the wire, encoded at most once for each version of the protocol, however many it is sent to.
class Message {
 public:
  // `wire` in RESP2. An array on the outside ('*') becomes a push ('>') in RESP3; anything else stays.
  explicit Message(std::string wire) : resp2_(std::make_shared<const std::string>(std::move(wire))) {}

  const SharedBytes& For(protocol::Version version) {
    if (version == protocol::Version::kResp2 || resp2_->front() != '*') return resp2_;
    if (resp3_ == nullptr) {
      std::string push = *resp2_;
      push.front() = '>';
      resp3_ = std::make_shared<const std::string>(std::move(push));
    }
    return resp3_;
  }

 private:
  SharedBytes resp2_;
  SharedBytes resp3_;
};

// Appends messages to outputs, stamped as state: they leave once what caused them is committed. A message
// never lands in the middle of a reply: one for the session whose reply is being written waits for its end.
class Delivery {
 public:
  explicit Delivery(Host& host) : host_(host) {}

  void Send(Session& session, Message& message) {
    // Who is about to be closed takes nothing more in.
    if (session.close) return;
    if (&session == writing_) {
      own_.push_back(message.For(session.version));
      return;
    }
    Append(session, message.For(session.version));
    host_.Wake(session);
  }

  // The reply of one session at a time is being written, while this lives.
  class Reply {
   public:
    Reply(Delivery& delivery, Session& session) : delivery_(delivery) { delivery.writing_ = &session; }
    ~Reply() {
      if (!delivery_.own_.empty()) delivery_.SendOwn();
      delivery_.writing_ = nullptr;
    }
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;

   private:
    Delivery& delivery_;
  };

 private:
  static void Append(Session& session, const SharedBytes& wire) {
    session.output.ShowState();
    session.output.Share(wire);
  }
  void SendOwn() {
    for (const SharedBytes& wire : own_) Append(*writing_, wire);
    own_.clear();
    host_.Wake(*writing_);
  }

  Host& host_;
  Session* writing_ = nullptr;
  std::vector<SharedBytes> own_;  // for the session whose reply is being written
};

}  // namespace sluice::commands
