// Streams and groups as one would explain them: maps, and loops over them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/harness/reply.h"

namespace sluice::tests {

using ModelId = std::pair<uint64_t, uint64_t>;
using ModelIds = std::vector<ModelId>;

std::string Text(ModelId id);

// What may happen to references of entries that go.
enum class ModelReferences { kKeep, kDelete, kRespect };

// One stream. Every function does what the command of its name does, and gives the reply.
class StreamModel {
 public:
  uint64_t now_ms = 0;

  ModelId last_id() const { return last_; }

  Reply Add(ModelId id, const std::string& value);
  Reply AddTrimming(ModelId id, const std::string& value, uint64_t length, ModelReferences references);
  Reply Trim(ModelId min_id, ModelReferences references);
  Reply Delete(const ModelIds& ids, ModelReferences references);                               // XDELEX
  Reply AckDelete(const std::string& group, const ModelIds& ids, ModelReferences references);  // XACKDEL
  Reply Ack(const std::string& group, const ModelIds& ids);
  Reply Create(const std::string& group, ModelId start);
  Reply SetId(const std::string& group, ModelId start);
  Reply Destroy(const std::string& group);
  Reply DeleteConsumer(const std::string& group, const std::string& consumer);
  Reply ReadNew(const std::string& group, const std::string& consumer, uint64_t count, bool no_ack,
                std::optional<uint64_t> claim_idle_ms);
  Reply ReadHistory(const std::string& group, const std::string& consumer, ModelId after);
  Reply Claim(const std::string& group, const std::string& consumer, uint64_t min_idle_ms,
              const ModelIds& ids, bool force);
  Reply AutoClaim(const std::string& group, const std::string& consumer, uint64_t min_idle_ms,
                  uint64_t count);
  enum class Verdict { kSilent, kFail, kFatal };
  Reply GiveBack(const std::string& group, Verdict verdict, const ModelIds& ids, bool force);

  Reply Range() const;
  Reply Pending(const std::string& group) const;
  Reply Lag(const std::string& group) const;  // the number alone; nothing where there is no such group

 private:
  struct PendingEntry {
    std::string consumer;  // empty: nobody's
    uint64_t delivered_ms = 0;
    uint64_t count = 0;
    uint64_t turn = 0;  // of nobody's: in which order they were given back
  };
  struct Group {
    ModelId last;
    std::map<ModelId, PendingEntry> pending;
    std::set<std::string> consumers;
  };

  bool Idle(const PendingEntry& entry, uint64_t min_idle_ms) const;
  bool Referenced(ModelId id, const Group* except) const;
  uint64_t TrimWhile(ModelReferences references, const auto& wanted);
  void Forget(ModelId id);
  Reply Entry(ModelId id) const;
  Reply NoGroup(const std::string& group, const std::string& tail = "") const;

  std::map<ModelId, std::string> entries_;
  ModelId last_{0, 0};
  std::map<std::string, Group> groups_;
  uint64_t turns_ = 0;
};

}  // namespace sluice::tests
