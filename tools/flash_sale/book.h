// The item's stream, read back: what the server says has happened.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/evidence.h"
#include "tools/flash_sale/try_plan.h"

namespace sluice::flash_sale {

struct BookedOrder {
  static constexpr uint32_t kNobody = UINT32_MAX;

  OrderId id;
  uint32_t user;     // kNobody: none of ours
  uint32_t attempt;  // kNobody: without a request, or with none of ours
  bool held = false;
  uint8_t confirmed = 0;  // how often it was
  uint8_t released = 0;
};

// Messages are taken in the order in which they stand, which is the order in which things happened. So the
// stock and each user's limit are checked at every moment of the sale, not at its end only.
class Book {
 public:
  Book(const Options& options, const TryPlan& plan) : options_(options), plan_(plan) {}

  // Reads all of `stream`. Throws Trouble where the server is gone.
  void Read(Connection& connection, std::string_view stream);
  // One message.
  void Take(const redisReply& entry);

  uint64_t entries() const { return entries_; }
  const std::vector<BookedOrder>& orders() const { return orders_; }  // in the order of their IDs
  const BookedOrder* Find(OrderId id) const;
  // Pieces that each user has at the end.
  const std::unordered_map<uint32_t, uint64_t>& pieces() const { return pieces_; }
  uint64_t taken() const { return taken_; }
  uint64_t sold() const { return sold_; }
  uint64_t released() const { return released_; }
  // What cannot be; the first few are told, all are counted.
  const std::vector<std::string>& faults() const { return faults_; }
  uint64_t fault_count() const { return fault_count_; }

 private:
  void Fault(const std::string& what);
  void TakeOrder(OrderId id, const redisReply& fields, const std::string& entry);
  void TakeSettled(BookedOrder& order, bool released);

  const Options& options_;
  const TryPlan& plan_;
  uint64_t entries_ = 0;
  std::vector<BookedOrder> orders_;
  std::unordered_map<uint32_t, uint64_t> pieces_;
  uint64_t taken_ = 0;  // pieces that are held or sold
  uint64_t sold_ = 0;
  uint64_t released_ = 0;
  std::vector<std::string> faults_;
  uint64_t fault_count_ = 0;
};

}  // namespace sluice::flash_sale
