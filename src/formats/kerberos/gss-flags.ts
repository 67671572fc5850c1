/** Flags of a GSSAPI context, GSS_C_*: RFC 2744 section 5.19, RFC 4121 section 4.1.1.1, RFC 4757 section 7.1, gssapi_ext.h. */
export const GSS_C_DELEG_FLAG = 0x1;
export const GSS_C_MUTUAL_FLAG = 0x2;
export const GSS_C_REPLAY_FLAG = 0x4;
export const GSS_C_SEQUENCE_FLAG = 0x8;
export const GSS_C_CONF_FLAG = 0x10;
export const GSS_C_INTEG_FLAG = 0x20;
export const GSS_C_ANON_FLAG = 0x40;
/** The channel bindings of the client match those of the acceptor. No other flag tells that the client sent any. */
export const GSS_C_CHANNEL_BOUND_FLAG = 0x800;
export const GSS_C_DCE_STYLE = 0x1000;
export const GSS_C_IDENTIFY_FLAG = 0x2000;
export const GSS_C_EXTENDED_ERROR_FLAG = 0x4000;
