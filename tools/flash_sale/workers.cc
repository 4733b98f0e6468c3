#include "tools/flash_sale/workers.h"

namespace sluice::flash_sale {
namespace {

// The order that an entry tells of, where it is held; nullopt: another message.
std::optional<OrderId> HeldOrder(const redisReply& entry) {
  const redisReply& fields = ElementOf(entry, 1);
  const redisReply* event = FieldOf(fields, "event");
  const redisReply* state = FieldOf(fields, "state");
  const redisReply* order = FieldOf(fields, "order");
  if (event == nullptr || state == nullptr || order == nullptr) return std::nullopt;
  if (TextOf(*event) != "order" || TextOf(*state) != "held") return std::nullopt;
  return ParseOrderId(TextOf(*order));
}

}  // namespace

Workers::Workers(const Options& options, const Address& address, std::string item, std::string stream,
                 const TryPlan& plan, Run& run)
    : options_(options),
      address_(address),
      item_(std::move(item)),
      stream_(std::move(stream)),
      plan_(plan),
      run_(run) {
  for (uint64_t i = 0; i < options.workers; ++i) {
    desks_.push_back(std::make_unique<Desk>());
    Desk& desk = *desks_.back();
    desk.name = "worker-" + std::to_string(i + 1);
    desk.thread = std::thread([this, &desk] {
      try {
        while (!run_.stop && !finishing_) Work(desk);
      } catch (const std::exception& error) {
        run_.Fail(error.what());
      }
    });
  }
}

Workers::~Workers() {
  run_.stop = true;
  Finish();
}

void Workers::Finish() {
  finishing_ = true;
  for (const auto& desk : desks_) {
    if (desk->thread.joinable()) desk->thread.join();
  }
}

// One connection's life.
void Workers::Work(Desk& desk) {
  const auto connection = Connection::Await(address_, run_.stop);
  if (connection == nullptr) return;
  std::string from = "0";  // what is this worker's already; then ">", what is new
  while (!run_.stop) {
    const bool last = finishing_;
    const Reply reply = connection->Ask(
        {"XREADGROUP", "GROUP", kGroup, desk.name, "COUNT", "200", "BLOCK", "50", "STREAMS", stream_, from});
    if (reply == nullptr) return;
    const bool nothing = reply->type != REDIS_REPLY_ARRAY;
    if (nothing && last) return;
    if (nothing) continue;
    const redisReply& entries = ElementOf(ElementOf(*reply, 0), 1);
    if (entries.elements == 0) {
      from = ">";
    } else if (!Handle(*connection, desk, entries)) {
      return;
    }
  }
}

// False where the connection is gone.
bool Workers::Handle(Connection& connection, Desk& desk, const redisReply& entries) {
  std::vector<OrderId> asked;
  std::vector<std::string_view> ack = {"XACK", stream_, kGroup};
  for (size_t i = 0; i < entries.elements; ++i) {
    const redisReply& entry = *entries.element[i];
    ack.push_back(TextOf(ElementOf(entry, 0)));
    // A pending entry that was deleted since has no fields.
    if (ElementOf(entry, 1).type != REDIS_REPLY_ARRAY) continue;
    const auto order = HeldOrder(entry);
    if (!order) continue;
    if (TryPlan::Share(plan_.Mix(order->ms * 1'000'003 + order->sequence)) >= options_.paid) {
      desk.left.Add();
      continue;
    }
    connection.Append({"SECKILL.CONFIRM", item_, order->text()});
    asked.push_back(*order);
  }
  for (const OrderId& order : asked) {
    const Reply reply = connection.Receive();
    if (reply == nullptr) return false;
    Judge(desk, order, IntegerOf(*reply));
  }
  // Only now: who dies before is given the messages again.
  if (connection.Ask(ack) == nullptr) return false;
  desk.read.Add(entries.elements);
  return true;
}

void Workers::Judge(Desk& desk, OrderId order, int64_t code) {
  switch (code) {
    case code::kOk:
    case code::kAlready:  // by us, in an answer that was lost
      desk.confirmed.Add();
      desk.sold.push_back(order);
      return;
    case code::kExpired:
      return desk.late.Add();
    default:
      throw Trouble("SECKILL.CONFIRM of the order " + order.text() + " answers " + std::to_string(code));
  }
}

WorkerFigures Workers::figures() const {
  WorkerFigures sum;
  for (const auto& desk : desks_) {
    sum.read += desk->read.value();
    sum.confirmed += desk->confirmed.value();
    sum.left += desk->left.value();
    sum.late += desk->late.value();
  }
  return sum;
}

void Workers::Testify(Evidence& evidence) const {
  for (const auto& desk : desks_)
    evidence.confirmed.insert(evidence.confirmed.end(), desk->sold.begin(), desk->sold.end());
}

}  // namespace sluice::flash_sale
