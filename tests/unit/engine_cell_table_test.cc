#include "server/engine/cell_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sluice::engine {
namespace {

using Table = CellTable<uint64_t, 4>;
using Cells = std::map<uint32_t, uint64_t>;

Table::Dump Into(Cells& cells) {
  return [&cells](uint32_t first, std::span<const uint64_t> handed_out) {
    for (size_t i = 0; i < handed_out.size(); ++i) {
      EXPECT_TRUE(cells.emplace(first + i, handed_out[i]).second) << "handed out twice: " << first + i;
    }
  };
}

Cells Contents(const Table& table) {
  Cells cells;
  for (uint32_t i = 0; i < table.size(); ++i) cells[i] = table[i];
  return cells;
}

TEST(CellTable, CellsAreZeroAndStayWhereTheyAre) {
  Table table;
  EXPECT_EQ(table.Add(), 0u);
  const uint64_t* first = &table[0];
  EXPECT_EQ(*first, 0u);
  for (int i = 0; i < 1000; ++i) table.Add();
  EXPECT_EQ(first, &table[0]);
  table.Change(1000) = 7;
  EXPECT_EQ(table[1000], 7u);
}

TEST(CellTable, AnEmptyTableHasAnEmptyDump) {
  Table table;
  Cells dumped;
  table.BeginDump(Into(dumped));
  table.Change(table.Add()) = 1;
  EXPECT_FALSE(table.ContinueDump(1));
  EXPECT_TRUE(dumped.empty());
}

// Whatever changes between the slices, the dump shows the moment at which it began.
TEST(CellTable, ADumpShowsTheMomentOfItsBeginning) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Table table;
    const auto cells = static_cast<uint32_t>(random() % 50);
    for (uint32_t i = 0; i < cells; ++i) table.Change(table.Add()) = random();
    const Cells before = Contents(table);
    Cells dumped;
    table.BeginDump(Into(dumped));
    do {
      for (int change = 0; change < 3; ++change) {
        const uint32_t number = random() % 4 == 0 || table.size() == 0
                                    ? table.Add()
                                    : static_cast<uint32_t>(random() % table.size());
        table.Change(number) = random();
      }
    } while (table.ContinueDump(1));
    EXPECT_EQ(dumped, before) << "round " << round;
  }
}

TEST(CellTable, AnAbandonedDumpHandsOutNothingMore) {
  Table table;
  for (int i = 0; i < 12; ++i) table.Add();
  Cells dumped;
  table.BeginDump(Into(dumped));
  EXPECT_TRUE(table.ContinueDump(1));
  table.AbandonDump();
  table.Change(11) = 1;
  EXPECT_FALSE(table.ContinueDump(1));
  EXPECT_EQ(dumped.size(), 4u);
}

}  // namespace
}  // namespace sluice::engine
