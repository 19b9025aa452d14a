// Package s3 is Amazon S3: everything but the bytes.
//
// A call arrives authenticated. Here it becomes an operation on a bucket and a key ([parseAddress],
// operations.go), is authorised by identity, bucket and endpoint policies (authorize.go), and is then either
// answered from the state, where buckets and their configuration are, or handed to the object engine
// (engine.go), which knows objects and the S3 wire format and decides nothing.
//
// Of the two ways to hand a request on, the signature is checked before and the engine gets a new one, made
// with a key that only this region and its engine know. The other way, to let the engine check the client's
// signature again, would need the engine to know every host name and every session, and cannot carry
// anonymous calls. The engine still checks what it can check by itself: payload hashes, checksums and
// unsigned chunks travel on as they are. Only chunks that are signed one by one are verified here, and travel
// on unsigned (chunks.go). What is to be decided is always the request the engine gets: keys that the engine
// would change ("a/../b") are refused before anybody is asked about them.
//
// Objects are files, which shows in three places: a key with an empty, "." or ".." segment is refused, a segment
// has at most 255 bytes, and an object cannot have the name of a folder that has something in it.
//
// Configuration that would have an effect in AWS and has none here (replication, life cycle, logging, object
// lock, ...) is refused with 501 NotImplemented, not stored and forgotten.
package s3
