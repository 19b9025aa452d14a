// Package endpoint stands at every address inside the network where AWS would answer: the interfaces of
// interface endpoints, gateway endpoints, the public addresses of services, the VPC resolvers.
//
// Each is a listener that leads back to the front door, with the origin of its connections stamped on them: a
// fact of the place, which no request can forge. It presents certificates of the region's own authority for
// the real names of the services. The package does not decide anything about a call (api/server does) nor
// about a packet (the data plane does).
package endpoint
