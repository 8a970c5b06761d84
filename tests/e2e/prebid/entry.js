// What a publisher's page loads: Prebid.js with the adapter that posts OpenRTB to any exchange.
import pbjs from 'prebid.js';
import 'prebid.js/modules/prebidServerBidAdapter.js';

pbjs.processQueue();
