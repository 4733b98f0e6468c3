// The bytes on disk: what is written can be read, and no flipped bit goes unseen.
#include "storage/format.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "storage/checksum.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kLogId = 0x1122334455667788;

template <size_t kSize>
void FlipBit(std::array<char, kSize>& bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
}

TEST(Format, StoreHeaderComesBack) {
  const StoreHeader header{.log_id = kLogId,
                           .incarnation = 12,
                           .first_sequence = 3,
                           .first_lsn = Lsn{4096},
                           .durable = Lsn{99'000}};
  std::array<char, StoreHeader::kBytes> bytes;
  Encode(header, bytes);
  EXPECT_EQ(std::string(bytes.data() + 8, 8), "SLCSTORE");
  const auto back = DecodeStoreHeader(bytes);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->log_id, kLogId);
  EXPECT_EQ(back->incarnation, 12u);
  EXPECT_EQ(back->first_sequence, 3u);
  EXPECT_EQ(back->first_lsn, Lsn{4096});
  EXPECT_EQ(back->durable, Lsn{99'000});
}

TEST(Format, StoreHeaderShowsEveryFlippedBit) {
  std::array<char, StoreHeader::kBytes> bytes;
  Encode(StoreHeader{.log_id = kLogId, .incarnation = 12}, bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    FlipBit(bytes, bit);
    EXPECT_FALSE(DecodeStoreHeader(bytes).has_value()) << bit;
    FlipBit(bytes, bit);
  }
  EXPECT_FALSE(DecodeStoreHeader(std::span(bytes).first(bytes.size() - 1)).has_value());
}

TEST(Format, SegmentHeaderComesBack) {
  const SegmentHeader header{
      .log_id = kLogId, .sequence = 5, .base = Lsn{131'072}, .incarnation = 2, .capacity = 65'536};
  std::array<char, kSegmentHeaderBytes> bytes;
  Encode(header, bytes);
  EXPECT_EQ(std::string(bytes.data() + 8, 8), "SLCSGMNT");
  const auto back = DecodeSegmentHeader(bytes, kLogId);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->sequence, 5u);
  EXPECT_EQ(back->base, Lsn{131'072});
  EXPECT_EQ(back->incarnation, 2u);
  EXPECT_EQ(back->capacity, 65'536u);
}

TEST(Format, SegmentHeaderShowsEveryFlippedBit) {
  std::array<char, kSegmentHeaderBytes> bytes;
  Encode(SegmentHeader{.log_id = kLogId, .sequence = 5, .incarnation = 2, .capacity = 65'536}, bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    FlipBit(bytes, bit);
    EXPECT_FALSE(DecodeSegmentHeader(bytes, kLogId).has_value()) << bit;
    FlipBit(bytes, bit);
  }
}

TEST(Format, SegmentOfAnotherLogIsRefused) {
  std::array<char, kSegmentHeaderBytes> bytes;
  Encode(SegmentHeader{.log_id = kLogId + 1, .sequence = 5, .incarnation = 2, .capacity = 65'536}, bytes);
  const auto back = DecodeSegmentHeader(bytes, kLogId);
  ASSERT_FALSE(back.has_value());
  EXPECT_EQ(back.error().code, Error::Code::kCorrupt);
}

TEST(Format, NewerVersionIsNotCalledDamage) {
  std::array<char, StoreHeader::kBytes> bytes;
  Encode(StoreHeader{.log_id = kLogId}, bytes);
  StoreLittle(bytes.data() + 16, kFormatVersion + 1);
  StoreLittle(bytes.data(), Checksum(0, 0)(Lsn{0}, bytes.data() + 8, bytes.size() - 8));
  const auto back = DecodeStoreHeader(bytes);
  ASSERT_FALSE(back.has_value());
  EXPECT_EQ(back.error().code, Error::Code::kInvalid);
}

TEST(Format, BatchHeaderComesBackAndShowsEveryFlippedBit) {
  const BatchHeader header{.flags = BatchHeader::kClosing,
                           .base = Lsn{70'000},
                           .durable = Lsn{69'000},
                           .incarnation = 4,
                           .epoch = 9,
                           .digest = 0xABCD,
                           .length = 512,
                           .records = 3};
  std::array<char, kBatchHeaderBytes> bytes;
  Encode(header, kLogId, bytes.data());
  EXPECT_EQ(std::string(bytes.data() + 8, 4), "BTCH");
  const auto back = DecodeBatchHeader(bytes.data(), kLogId);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->flags, BatchHeader::kClosing);
  EXPECT_EQ(back->base, Lsn{70'000});
  EXPECT_EQ(back->durable, Lsn{69'000});
  EXPECT_EQ(back->incarnation, 4u);
  EXPECT_EQ(back->epoch, 9u);
  EXPECT_EQ(back->digest, 0xABCDu);
  EXPECT_EQ(back->length, 512u);
  EXPECT_EQ(back->records, 3u);
  EXPECT_FALSE(DecodeBatchHeader(bytes.data(), kLogId + 1).has_value());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    FlipBit(bytes, bit);
    EXPECT_FALSE(DecodeBatchHeader(bytes.data(), kLogId).has_value()) << bit;
    FlipBit(bytes, bit);
  }
}

// However wide the vectors are that the processor has: a store may be opened by another one.
TEST(Format, ChecksumsAreXxh3OfEverySize) {
  std::string bytes(3000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 131 + i / 7);
  const uint64_t incarnation = 3;
  const uint64_t salt = XXH3_64bits_withSeed(&incarnation, sizeof incarnation, kLogId);
  const Checksum checksum(kLogId, incarnation);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const size_t from = bytes.size() - size;
    ASSERT_EQ(checksum(Lsn{77}, bytes.data() + from, size),
              XXH3_64bits_withSeed(bytes.data() + from, size, salt + 77))
        << size;
  }
}

TEST(Format, ChecksumsDependOnPlaceLogAndIncarnation) {
  const std::string bytes(100, 'x');
  const uint64_t sum = Checksum(1, 1)(Lsn{8}, bytes.data(), bytes.size());
  EXPECT_EQ(sum, Checksum(1, 1)(Lsn{8}, bytes.data(), bytes.size()));
  EXPECT_NE(sum, Checksum(1, 1)(Lsn{16}, bytes.data(), bytes.size()));
  EXPECT_NE(sum, Checksum(1, 2)(Lsn{8}, bytes.data(), bytes.size()));
  EXPECT_NE(sum, Checksum(2, 1)(Lsn{8}, bytes.data(), bytes.size()));
}

TEST(Format, DigestDependsOnOrder) {
  EXPECT_NE(FoldDigest(FoldDigest(0, 1), 2), FoldDigest(FoldDigest(0, 2), 1));
}

TEST(Format, SegmentNamesSortAndParse) {
  EXPECT_EQ(SegmentName(42), "000000000042.log");
  EXPECT_EQ(SegmentSequence("000000000042.log"), 42u);
  for (const char* foreign :
       {"42.log", "000000000042.logs", "00000000004x.log", ".log", "spare-1", "STORE"}) {
    EXPECT_EQ(SegmentSequence(foreign), std::nullopt) << foreign;
  }
}

}  // namespace
}  // namespace sluice::storage
