#include "server/net/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <climits>
#include <new>

#include "server/net/tls_context.h"

namespace sluice::net {
namespace {

// Plain text sealed at a time: about a tenth of a millisecond's work.
constexpr size_t kSliceBytes = 256 * 1024;

}  // namespace

TlsStream::TlsStream(SSL_CTX& context)
    : ssl_(SSL_new(&context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  if (!ssl_ || in_ == nullptr || out_ == nullptr) {
    BIO_free(in_);
    BIO_free(out_);
    throw std::bad_alloc();
  }
  // An empty one says "later", not "the end".
  BIO_set_mem_eof_return(in_, -1);
  BIO_set_mem_eof_return(out_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_accept_state(ssl_.get());
}

bool TlsStream::Receive(std::string_view cipher) {
  ERR_clear_error();
  return cipher.empty() ||
         BIO_write(in_, cipher.data(), static_cast<int>(cipher.size())) == static_cast<int>(cipher.size());
}

TlsStream::Opened TlsStream::Open(std::span<char> room) {
  ERR_clear_error();
  size_t bytes = 0;
  if (SSL_read_ex(ssl_.get(), room.data(), room.size(), &bytes) == 1) return {Status::kBytes, bytes};
  switch (SSL_get_error(ssl_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {Status::kNothing, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::kEnded, 0};
    default:
      error_ = TakeTlsErrors();
      return {Status::kFailed, 0};
  }
}

void TlsStream::Give(std::shared_ptr<const std::string> plain, size_t from, size_t count) {
  plain_ = std::move(plain);
  sealed_ = from;
  end_ = from + count;
}

bool TlsStream::Seal(std::string& cipher) {
  ERR_clear_error();
  const size_t end = std::min(end_, sealed_ + kSliceBytes);
  while (sealed_ < end && handshake_done()) {
    size_t taken = 0;
    if (SSL_write_ex(ssl_.get(), plain_->data() + sealed_, end - sealed_, &taken) != 1) {
      // The way out is memory and never full, and nobody renegotiates: this is the end of the stream.
      error_ = TakeTlsErrors();
      return false;
    }
    sealed_ += taken;
  }
  if (unsealed() == 0) plain_.reset();
  char* bytes = nullptr;
  if (const long count = BIO_get_mem_data(out_, &bytes); count > 0) {
    cipher.append(bytes, static_cast<size_t>(count));
    BIO_reset(out_);
  }
  return true;
}

void TlsStream::End() {
  ERR_clear_error();
  if (handshake_done() && error_.empty()) SSL_shutdown(ssl_.get());
}

}  // namespace sluice::net
