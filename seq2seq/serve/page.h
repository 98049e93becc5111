// The page to try a server.
#ifndef SEQ2SEQ_SERVE_PAGE_H_
#define SEQ2SEQ_SERVE_PAGE_H_

namespace seq2seq {

// HTML that needs nothing but the server it comes from: a field for a sentence, its translations,
// and where the model looked.
extern const char kPage[];

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_PAGE_H_
