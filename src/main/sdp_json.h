/* The pinholes that a session description asks for, as JSON. */
#ifndef HW_MAIN_SDP_JSON_H
#define HW_MAIN_SDP_JSON_H

#include "base/json.h"
#include "proto/sdp/sdp.h"

/* A member `pinholes`: for each m= line in its order media, proto, family, addr, port, rtcp_port,
 * rtcp_addr, rtcp_mux, direction and open (false when its port is 0). What is not there is null. */
void sdp_json_pinholes(struct json *j, const struct sdp *sdp);

#endif
