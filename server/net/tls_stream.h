// One connection's TLS: cipher text to plain text and back, in memory. It knows no socket.
//
//   socket --Receive()--> [ TLS ] --Open()--> requests
//   socket <---Seal()---- [ TLS ] <--Give()-- replies
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {

// Bounded: what was received is opened at once, so at most one record (16 KiB) waits inside; plain text that
// was given is sealed in slices, so cipher text takes at most a slice.
class TlsStream {
 public:
  // Of the server's side. `context` may be replaced meanwhile: the stream holds on to it.
  explicit TlsStream(SSL_CTX& context);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  bool handshake_done() const { return SSL_is_init_finished(ssl_.get()) != 0; }

  // Bytes from the socket. False: no memory.
  [[nodiscard]] bool Receive(std::string_view cipher);

  enum class Status {
    kBytes,    // some
    kNothing,  // more cipher text is needed
    kEnded,    // the peer said that it sends nothing more
    kFailed,   // this is not TLS, or not a client for us; error() says more
  };
  struct Opened {
    Status status;
    size_t bytes;
  };
  // Puts plain text into `room` (not empty). Goes on with the handshake as a side effect: there may be
  // something to Seal() afterwards.
  Opened Open(std::span<char> room);
  // One line, after kFailed.
  const std::string& error() const { return error_; }

  // Bytes [from, from + count) of `plain`, count > 0, are to be sealed; `plain` is held until they are. Only
  // while unsealed() is 0.
  void Give(std::shared_ptr<const std::string> plain, size_t from, size_t count);
  // Plain text given and not sealed yet.
  size_t unsealed() const { return end_ - sealed_; }

  // Appends to `cipher` what is to be sent: what the handshake has to say, then the next slice of what was
  // given (none of it before the handshake is done). False: the stream is beyond use.
  [[nodiscard]] bool Seal(std::string& cipher);
  // Something for Seal() to append.
  bool wants_to_send() const { return BIO_ctrl_pending(out_) != 0 || (unsealed() != 0 && handshake_done()); }
  // Says to the peer that nothing more follows; Seal() then has the words. Only where all was sealed.
  void End();

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_;                                   // cipher text to open; the SSL's
  BIO* out_;                                  // cipher text to send; the SSL's
  std::shared_ptr<const std::string> plain_;  // null: all is sealed
  size_t sealed_ = 0;                         // where in plain_ the next slice begins
  size_t end_ = 0;                            // and where the last one ends
  std::string error_;
};

}  // namespace sluice::net
